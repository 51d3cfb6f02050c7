"""Prices that change at midnight, and several who publish at once."""

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from ledger.clock import FixedClock
from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from ledger.services.intake.writer import Writer
from ledger.services.proof.verification import verify
from ledger.services.rates import publish_tables
from ledger.store.database import Database
from tests.conftest import NOW

PATIENCE_S = 60
ROOT = Path(__file__).parents[2]


def table(version: str, since: str, price: str) -> str:
    """A version of the lab's table, its one model at so much for 1M output tokens."""
    return (
        f'provider: lab\nversion: "{version}"\neffective_from: {since}\ncurrency: USD\n'
        f'models:\n  chat: {{output: "{price}"}}\n'
    )


async def publish(
    database: Database, clock: FixedClock, version: str, since: str, price: str
) -> None:
    file = (f"{version}.yaml", table(version, since, price))
    await publish_tables(database, clock, "test", [file], currency="USD")


def record(number: int, at: str) -> dict[str, Any]:
    """A third of a million output tokens at a moment."""
    return {
        "request_id": f"midnight-{number}",
        "customer_id": "acme",
        "provider": "lab",
        "model": "chat",
        "output_tokens": 333_333,
        "timestamp": at,
    }


async def test_the_exact_instant_has_the_new_price(
    api: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    """Of a change each night; records came in any order, and an instant is one whatever its offset.

    | night of | price      | used at                                          | requests |
    | 18       | 0.300000   | 18, from 00:00:00 to 23:59:59.999999             | 3        |
    | 19       | 0.400000   | 19, the same                                     | 3        |
    | 20       | 0.000003   | 20, from 00:00:00 on                             | 2        |
    """
    for day, price in (("19", "0.400000"), ("18", "0.300000"), ("20", "0.000003")):
        await publish(database, clock, f"night-{day}", f"2026-11-{day}T00:00:00Z", price)
    moments = [
        "2026-11-20T00:00:00Z",  # the instant itself
        "2026-11-19T23:59:59.999999Z",
        "2026-11-19T23:59:59.9999999Z",  # beyond microseconds is cut off, never rounded up
        "2026-11-19T00:00:00.000000Z",
        "2026-11-18T23:59:59.999999Z",
        "2026-11-18T00:00:00Z",
        "2026-11-19T01:00:00+02:00",  # 23:00 of the 18th
        "2026-11-19T23:00:00-01:00",  # the instant itself, elsewhere
    ]
    records = [record(number, at) for number, at in enumerate(moments)]
    answer = await api.post("/v1/requests/batch", json=records)
    assert answer.json()["accepted"] == len(records), answer.text

    question = {"from": "2026-11-18", "to": "2026-11-21", "group_by": "day"}
    rows = (await api.get("/v1/spend", params=question)).json()["rows"]

    assert [(row["day"], row["requests"], row["spend"]) for row in rows] == [
        ("2026-11-18", 3, "0.299999700000"),
        ("2026-11-19", 3, "0.399999600000"),
        ("2026-11-20", 2, "0.000001999998"),
    ]
    versions = {
        each["request_id"]: each["rate_version"]
        for each in (await api.get("/v1/requests", params={"limit": 100})).json()["data"]
    }
    nights = [20, 19, 19, 19, 18, 18, 18, 20]
    assert versions == {f"midnight-{n}": f"night-{night}" for n, night in enumerate(nights)}


async def test_before_the_first_version_there_is_no_price(
    api: httpx.AsyncClient, database: Database, clock: FixedClock
) -> None:
    """A microsecond before it the usage is unrated."""
    await publish(database, clock, "first", "2026-11-20T00:00:00Z", "1")
    costs = []
    for number, at in enumerate(("2026-11-19T23:59:59.999999Z", "2026-11-20T00:00:00Z")):
        answer = await api.post("/v1/requests", json=record(number, at))
        costs.append(answer.json()["cost"])
    assert costs == [None, "0.333333000000"]


async def test_no_writer_rates_by_an_older_book_once_a_newer_one_is_committed(
    database: Database, clock: FixedClock
) -> None:
    """Two writers that have cached the configuration price the next record by the new version.

    Round by round, each with a price of its own, and with writers at work while it is published.
    """
    writers = [Writer(database, clock) for _ in range(2)]
    for each in writers:
        await each.start()
    numbers = iter(range(10_000))

    async def price(writer: Writer) -> str | None:
        [outcome] = await writer.submit([statement(next(numbers))])
        assert outcome.rated is not None
        return outcome.rated.rate_version

    for each in writers:  # so that both have the book of before
        assert await price(each) is None
    for round_ in range(8):
        version = f"round-{round_}"
        busy = [asyncio.create_task(price(writers[n % 2])) for n in range(20)]
        await publish(database, clock, version, "2026-11-01T00:00:00Z", f"{round_ + 1}")
        assert [await price(each) for each in writers] == [version, version]
        earlier = {None if round_ == 0 else f"round-{round_ - 1}", version}
        assert set(await asyncio.gather(*busy)) <= earlier
    for each in writers:
        await each.close()
    assert (await verify(database, clock))["ok"]


def statement(number: int) -> Statement:
    read = read_statement(json.dumps(record(number, NOW.isoformat())).encode(), NOW)
    assert isinstance(read, Statement), read
    return read


async def start_publishing(url: str, *files: Path) -> asyncio.subprocess.Process:
    """`ledger rates publish` as a process of its own."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ledger", "rates", "publish", *map(str, files), "--json"),
        env={**os.environ, "LEDGER_DATABASE_URL": url, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def publish_at_once(url: str, *files: Path) -> list[tuple[int | None, list[str], str]]:
    """Each file by a process of its own, all at once: exit code, versions that were new, complaints."""
    processes = [await start_publishing(url, file) for file in files]
    told = await asyncio.gather(
        *(asyncio.wait_for(each.communicate(), PATIENCE_S) for each in processes)
    )
    return [
        (
            process.returncode,
            [each["version"] for each in msgspec.json.decode(out).get("published", [])],
            complaints.decode(),
        )
        for process, (out, complaints) in zip(processes, told, strict=True)
    ]


async def published(database: Database) -> list[str]:
    """The lab's versions in the order of publication, and as many decisions."""
    async with database.connection() as connection:
        versions = await connection.fetch(
            "SELECT version FROM rate_table WHERE provider = 'lab' ORDER BY rate_version"
        )
        decisions = await connection.fetchval(
            "SELECT count(*) FROM ledger_event WHERE subject LIKE 'lab/%'"
        )
    assert decisions == len(versions)
    return [row["version"] for row in versions]


async def test_a_version_that_two_processes_publish_is_there_once(
    database: Database, database_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    """One of them finds it new, the others find it published; none fails."""
    file = tmp_path / "nightly.yaml"
    file.write_text(table("nightly", "2026-11-20T00:00:00Z", "1"))

    ended = await publish_at_once(database_url, file, file, file)

    assert sorted(new for _, new, _ in ended) == [[], [], ["nightly"]], ended
    assert [code for code, _, _ in ended] == [0, 0, 0]
    assert await published(database) == ["nightly"]
    assert (await verify(database, clock))["ok"]


async def test_of_two_contents_of_one_version_one_is_published(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """The other is refused with the line of its version, and nothing of it stays."""
    files = [tmp_path / name for name in ("one.yaml", "other.yaml")]
    for file, price in zip(files, ("1", "2"), strict=True):
        file.write_text(table("nightly", "2026-11-20T00:00:00Z", price))

    ended = await publish_at_once(database_url, *files)

    assert sorted(code or 0 for code, _, _ in ended) == [0, 1], ended
    [complaint] = [text for code, _, text in ended if code]
    assert "yaml:2: this version is published with other content" in complaint
    assert await published(database) == ["nightly"]


async def test_versions_published_at_once_have_one_order_for_everybody(
    database: Database, database_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    """Of those that begin together the last published counts, for every writer alike."""
    files = [tmp_path / f"v{number}.yaml" for number in range(4)]
    for number, file in enumerate(files):
        file.write_text(table(f"v{number}", "2026-11-20T00:00:00Z", f"{number + 1}"))

    ended = await publish_at_once(database_url, *files)

    assert [(code, new) for code, new, _ in ended] == [(0, [f"v{n}"]) for n in range(4)], ended
    order = await published(database)
    assert sorted(order) == ["v0", "v1", "v2", "v3"]
    clock.instant = NOW + timedelta(minutes=1)
    for number in range(2):
        writer = Writer(database, clock)
        await writer.start()
        [outcome] = await writer.submit([statement(number)])
        await writer.close()
        assert outcome.rated is not None
        assert outcome.rated.rate_version == order[-1]
