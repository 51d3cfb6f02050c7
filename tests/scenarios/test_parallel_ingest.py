"""The same file again, in other batch sizes, and by four processes at once: always the same ledger."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from ledger.bench.records import Mix, cut, record_lines
from ledger.clock import FixedClock
from ledger.core.spend import spend_query
from ledger.demo.sample import sample_lines
from ledger.services.spend import answer_spend, spend_body
from ledger.store.database import Database
from tests.conftest import NOW
from tests.naive import NaiveLedger, naive_ledger, read_tables

RATES = Path(__file__).parents[2] / "pricing" / "rates"
START, END = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
COUNTERS = ("read", "accepted", "duplicates", "conflicts", "rejected", "unrated")
PATIENCE_S = 60

# `ledger ingest` with another number of lines in a submission, so that processes cut the file differently.
INGEST_IN_PIECES = """
import sys
from ledger.cli.main import main
from ledger.services.intake import window
window.LINES_PER_SUBMISSION = int(sys.argv.pop(1))
main()
"""


@pytest.fixture
def lines() -> list[bytes]:
    """The bundled sample."""
    return list(sample_lines())


@pytest.fixture
def file(tmp_path: Path, lines: list[bytes]) -> Path:
    """The bundled sample as a file."""
    path = tmp_path / "sample.ndjson"
    path.write_bytes(b"".join(lines))
    return path


async def ingest(file: Path, url: str, lines_at_once: int = 5000) -> Counter[str]:
    """Run `ledger ingest` as a process; its counters."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", INGEST_IN_PIECES, str(lines_at_once)),
        *("ingest", str(file), "--json"),
        env={**os.environ, "LEDGER_DATABASE_URL": url},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, complaints = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert complaints == b"", complaints.decode()
    assert process.returncode in (0, 1)
    return counters_of(msgspec.json.decode(out))


def counters_of(body: dict[str, Any]) -> Counter[str]:
    return Counter({name: body[name] for name in COUNTERS})


def expected_again(expected: Counter[str]) -> Counter[str]:
    """The counters of a file that has been ingested before: what was accepted are duplicates."""
    again = Counter(dict.fromkeys(COUNTERS, 0)) | expected
    again["duplicates"] += again["accepted"]
    again["accepted"] = again["unrated"] = 0
    return again


def naively(lines: Sequence[bytes]) -> NaiveLedger:
    return naive_ledger(lines, read_tables(RATES), received_at=NOW)


async def require_naive_spend(database: Database, naive: NaiveLedger) -> None:
    """Spend by customer and model equals the naive ledger's."""
    grouping = ("customer", "model")
    answer = await answer_spend(database, FixedClock(NOW), spend_query(START, END, grouping))
    rows, expected = spend_body(answer, "USD")["rows"], naive.spend(grouping, START, END)
    assert len(rows) == len(expected) > 50
    for row, wanted in zip(rows, expected, strict=True):
        shown = {
            name: Decimal(row[name]) if isinstance(value, Decimal) else row[name]
            for name, value in wanted.items()
        }
        assert shown == wanted


async def test_a_file_ingested_again_adds_nothing(
    database: Database, file: Path, lines: list[bytes]
) -> None:
    """Once, again, and in pieces of 7 and 1,000 lines: the first is counted, the others are duplicates."""
    naive = naively(lines)
    expected = Counter(naive.counters)

    assert await ingest(file, database.url) == expected
    for lines_at_once in (5000, 7, 1000):
        assert await ingest(file, database.url, lines_at_once) == expected_again(expected)

    await require_naive_spend(database, naive)


@pytest.mark.parametrize("size", [13, 250, 3000])
async def test_the_size_of_batches_changes_no_total(
    api: httpx.AsyncClient, database: Database, lines: list[bytes], size: int
) -> None:
    """Over HTTP in batches of any size, then in one: the same ledger, and the repeat is duplicates."""
    naive = naively(lines)
    expected = Counter(naive.counters)

    assert await post(api, lines, size) == expected
    assert await post(api, lines, len(lines)) == expected_again(expected)

    await require_naive_spend(database, naive)


async def post(api: httpx.AsyncClient, lines: Sequence[bytes], size: int) -> Counter[str]:
    total: Counter[str] = Counter(dict.fromkeys(COUNTERS, 0))
    for several in cut(lines, size):
        answer = await api.post(
            "/v1/requests/batch",
            content=b"".join(several),
            headers={"Content-Type": "application/x-ndjson"},
        )
        assert answer.status_code == 200, answer.text
        total.update(counters_of(answer.json()))
    return total


async def test_four_processes_at_once_count_each_record_once(
    database: Database, file: Path, lines: list[bytes]
) -> None:
    """Together they accept what one would; all else are duplicates, and each sees the conflict."""
    naive = naively(lines)
    expected = Counter(naive.counters)

    several = await asyncio.gather(
        *(ingest(file, database.url, size) for size in (40, 55, 90, 5000))
    )

    total = sum_of(several)
    for name in ("accepted", "unrated"):
        assert total[name] == expected[name], name
    for name in ("read", "conflicts", "rejected"):
        assert total[name] == 4 * expected[name], name
    assert total["duplicates"] == 4 * expected["duplicates"] + 3 * expected["accepted"]
    await require_naive_spend(database, naive)


async def test_opposite_orders_at_once_do_not_block_each_other(
    database: Database, tmp_path: Path
) -> None:
    """Two processes read a file forwards, two backwards: they meet on the same keys and all get through."""
    records = list(record_lines(6000, datetime(2026, 6, 1, tzinfo=UTC), Mix(10, 20)))
    files = list(written(tmp_path, records))

    several = await asyncio.gather(
        *(
            ingest(file, database.url, size)
            for file, size in zip(files * 2, (300, 300, 450, 450), strict=True)
        )
    )

    total = sum_of(several)
    assert (total["accepted"], total["duplicates"]) == (len(records), 3 * len(records))
    await require_naive_spend(database, naively(records))


def written(folder: Path, records: list[bytes]) -> Iterator[Path]:
    """The records as a file, and as one in the opposite order."""
    for name, ordered in (("forwards", records), ("backwards", records[::-1])):
        path = folder / f"{name}.ndjson"
        path.write_bytes(b"\n".join(ordered))
        yield path


def sum_of(several: Sequence[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in several:
        total.update(each)
    return total
