"""Dumped and loaded, a ledger gives the same answers, the same digests, and goes on where it was."""

import asyncio
import errno
import json
import os
from pathlib import Path

import asyncpg
import pytest

from ledger.clock import FixedClock
from ledger.core.cuts import parse_as_of
from ledger.core.errors import SetupError
from ledger.core.instants import parse_month
from ledger.exports.dump_files import DumpFile
from ledger.exports.places import writing_to
from ledger.services.invoices import run_invoices
from ledger.services.moving import dumping
from ledger.services.moving.dumping import dump_ledger
from ledger.services.proof.rebuilding import rebuild
from ledger.services.proof.seals import check_heads, read_heads
from ledger.services.rates import publish_shipped
from ledger.store import migrations
from ledger.store.database import Connection, Database
from ledger.store.dumping import Table, read_tables
from tests.conftest import MONTHS_BACK
from tests.moving import (
    NEXT_YEARS,
    ODD,
    RECORD,
    answers,
    bytes_in,
    dump,
    fill,
    load,
    opened,
    send,
    table_counts,
)
from tests.store.rebuild_damage import whole


@pytest.fixture(autouse=True)
def few_months(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the template has: to make two years ahead takes longer than all else here."""
    monkeypatch.setattr(migrations, "MONTHS_BACK", MONTHS_BACK)
    monkeypatch.setattr(migrations, "MONTHS_AHEAD", 1)


@pytest.fixture
async def filled(ledger: str, database: Database, clock: FixedClock) -> Database:
    """A ledger with everything in it."""
    assert ledger
    await fill(database, clock)
    return database


async def test_a_loaded_ledger_gives_the_same_answers(
    filled: Database, empty_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    """Spend now and at old cuts, seals, quarantine and exported files, to the byte; no table is left out."""
    cuts = [parse_as_of(cut) for cut in ("1-1", "1-2.2-9", "1-3.2-20")]
    before = await answers(filled, clock, tmp_path / "before", cuts)

    manifest = await dump(filled, clock, tmp_path / "dump")
    loaded = await load(empty_url, clock, tmp_path / "dump")

    assert loaded["ok"]
    assert loaded["proved_events"] == next(
        each.rows for each in manifest.tables if each.table == "usage_event"
    )
    counts = await table_counts(filled.url)
    assert await table_counts(empty_url) == counts
    assert {each.table: each.rows for each in manifest.tables if each.rows} == counts
    async with opened(empty_url) as database:
        assert await answers(database, clock, tmp_path / "after", cuts) == before
        await whole(database, clock)
        heads = read_heads(json.dumps(before["seals"]).encode())
        assert (await check_heads(database, heads))["ok"]
        digests = [
            {each["name"]: each["after"] for each in (await rebuild(one, clock))["projections"]}
            for one in (filled, database)
        ]
        assert digests[0] == digests[1]


async def test_the_same_ledger_is_the_same_text(
    filled: Database, empty_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    """Whoever dumps the loaded ledger gets the files and the manifest it came from, to the byte."""
    await dump(filled, clock, tmp_path / "one")
    await load(empty_url, clock, tmp_path / "one")
    async with opened(empty_url) as database:
        await dump(database, clock, tmp_path / "two")

    assert bytes_in(tmp_path / "one") == bytes_in(tmp_path / "two")


async def test_a_loaded_ledger_goes_on(
    filled: Database, empty_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    """What was sent before is a duplicate, new records and customers get in, numbers follow on."""
    await dump(filled, clock, tmp_path / "dump")
    await load(empty_url, clock, tmp_path / "dump")

    async with opened(empty_url) as database:
        later = {"request_id": NEXT_YEARS, "output_tokens": 7}
        again = [RECORD, RECORD | {"request_id": ODD}, RECORD | later]
        assert await send(database, clock, *again) == ["duplicate"] * 3
        assert await send(database, clock, RECORD | {"output_tokens": 1}) == ["conflict"]
        await publish_shipped(database, clock, currency="USD")  # nothing: all of them are there
        assert await go_on(database, clock) == await go_on(filled, clock)
        await whole(database, clock)


async def go_on(database: Database, clock: FixedClock) -> list[str]:
    """A new customer's first records by a new dimension, and the invoices of their month; their numbers."""
    model = "accounts/fireworks/models/deepseek-v3"
    new = {"customer_id": "new", "model": model, "output_tokens": 10**7}
    records = [RECORD | new | {"request_id": f"new-{number}"} for number in range(3)]
    assert await send(database, clock, *records) == ["accepted"] * 3
    run = await run_invoices(database, clock, "test", parse_month("2026-10"), currency="USD")
    numbers = [each["number"] for each in run["invoices"]]
    assert "INV-000001" not in numbers
    assert numbers
    return numbers


async def test_rights_and_guards_hold_in_a_loaded_ledger(
    filled: Database, empty_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    """Facts refuse to be changed, to the owner too; the service's role may not even try."""
    await dump(filled, clock, tmp_path / "dump")
    await load(empty_url, clock, tmp_path / "dump")

    changes = [
        "DELETE FROM customer",
        "UPDATE usage_event SET fee_pico = 0",
        "UPDATE batch SET events = 0",
    ]
    for role, refusal in (
        ("ledger_owner", asyncpg.RestrictViolationError),
        ("ledger_service", asyncpg.InsufficientPrivilegeError),
    ):
        connection = await asyncpg.connect(
            empty_url, server_settings={"search_path": "ledger", "role": role}
        )
        for change in changes:
            with pytest.raises(refusal):
                await connection.execute(change)
        await connection.close()


async def test_a_row_goes_where_the_months_of_the_target_put_it(
    filled: Database,
    empty_url: str,
    clock: FixedClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The months of the dump are made, and those that a ledger of a later day has as well."""
    await dump(filled, clock, tmp_path / "dump")
    clock.instant = clock.instant.replace(year=2028)
    monkeypatch.setattr(migrations, "MONTHS_BACK", 36)  # the dump's rows of April lie in `past`
    await load(empty_url, clock, tmp_path / "dump")

    connection = await asyncpg.connect(empty_url, server_settings={"search_path": "ledger"})
    months = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relname ~ '^usage_event_\\d{4}_\\d{2}$'"
        " AND relkind = 'r' ORDER BY relname"
    )
    placed = await connection.fetch("SELECT DISTINCT tableoid::regclass::text FROM usage_event")
    await connection.close()
    assert months[0][0] == "usage_event_2025_11"
    assert months[-1][0] == "usage_event_2028_12"
    assert {"usage_event_2026_04", "usage_event_future"} < {row[0] for row in placed}


async def test_a_dump_that_breaks_off_leaves_nothing(
    filled: Database, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full in the middle of a table; the next dump, over the same connection, is whole."""
    write = DumpFile.write

    def fill_disk(file: DumpFile, text: bytes) -> None:
        with writing_to(tmp_path):
            if file.name == "usage_event.copy.zst":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(file, text)

    monkeypatch.setattr(DumpFile, "write", fill_disk)
    with pytest.raises(SetupError, match="No space left on device"):
        await dump(filled, clock, tmp_path / "dump")
    assert bytes_in(tmp_path) == {}
    monkeypatch.undo()

    assert (await dump(filled, clock, tmp_path / "dump")).rows > 0


async def test_a_dump_that_is_called_off_leaves_nothing(
    filled: Database, clock: FixedClock, tmp_path: Path
) -> None:
    """By a signal, in the middle of the events; the pool goes on."""

    def call_off(table: str, _: int) -> None:
        task = asyncio.current_task()
        if table == "usage_event" and task is not None:
            task.cancel()

    dumping_task = asyncio.create_task(
        dump_ledger(filled, clock, tmp_path / "dump", product_version="0", progress=call_off)
    )
    with pytest.raises(asyncio.CancelledError):
        await dumping_task

    assert bytes_in(tmp_path) == {}
    assert await table_counts(filled.url)
    async with filled.snapshot() as connection:
        assert await read_tables(connection)


async def test_a_dump_is_of_one_moment(
    filled: Database,
    empty_url: str,
    clock: FixedClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is recorded while it is written is not in it, in no file; its seals are those of its beginning."""

    async def read_later(connection: Connection) -> list[Table]:
        assert await send(filled, clock, RECORD | {"request_id": "meanwhile"}) == ["accepted"]
        return await read_tables(connection)

    before = await table_counts(filled.url)
    monkeypatch.setattr(dumping, "read_tables", read_later)
    await dump(filled, clock, tmp_path / "dump")
    await load(empty_url, clock, tmp_path / "dump")

    assert await table_counts(empty_url) == before
    assert (await table_counts(filled.url))["usage_event"] == before["usage_event"] + 1
