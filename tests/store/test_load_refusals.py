"""What cannot be loaded leaves nothing behind: damaged dumps, filled targets, loads that break off."""

import asyncio
import hashlib
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
import zstandard

from ledger.clock import FixedClock
from ledger.core.dumps import MANIFEST, file_of, read_manifest
from ledger.core.errors import InvalidParameter, SetupError, UnprocessableDecision
from ledger.services.moving import loading
from ledger.services.moving.loading import load_ledger, open_dump
from ledger.store import migrations
from ledger.store.database import Database
from ledger.store.loading import SEEDED
from tests.conftest import NOW, copy_database, execute
from tests.moving import dump, forge, load, opened, table_counts
from tests.scenarios.job_desk import another_process
from tests.servers import with_database
from tests.store.tampering import ACME_MIDDLE, tamper

EVENTS = file_of("usage_event")

# Loads until it comes to the events, says so, and waits to be killed.
LOADER = f"""
import asyncio, sys, time
from datetime import UTC, datetime
from pathlib import Path
from ledger.clock import FixedClock
from ledger.services.moving.loading import load_ledger, open_dump

def wait(table, rows):
    if table == "usage_event":
        print("now", flush=True)
        time.sleep(60)

async def main():
    dump = open_dump(Path(sys.argv[2]), currency="USD")
    clock = FixedClock(datetime.fromisoformat({NOW.isoformat()!r}))
    await load_ledger(sys.argv[1], clock, dump, proving=True, progress=wait)

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def few_months(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the template has: to make two years ahead takes longer than all else here."""
    monkeypatch.setattr(migrations, "MONTHS_AHEAD", 1)


@pytest.fixture(scope="session")
def whole_dump(
    server_url: str, ledger_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A dump of the ledger with everything in it, made once."""

    async def make() -> Path:
        folder = tmp_path_factory.mktemp("dumps") / "dump"
        async with opened(with_database(server_url, ledger_template)) as database:
            await dump(database, FixedClock(NOW), folder)
        return folder

    return asyncio.run(make())


@pytest.fixture
def folder(whole_dump: Path, tmp_path: Path) -> Path:
    """A copy of it that may be damaged."""
    return Path(shutil.copytree(whole_dump, tmp_path / "dump"))


def text_of(folder: Path, name: str = EVENTS) -> bytes:
    """The text of a table."""
    with (folder / name).open("rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file).read()


def replace(folder: Path, text: bytes, *, name: str = EVENTS, **said: Any) -> None:
    """Put another text in the place of a table's, the size of its file said right."""
    (folder / name).write_bytes(zstandard.compress(text))
    said["file_bytes"] = (folder / name).stat().st_size
    manifest = read_manifest((folder / MANIFEST).read_bytes())
    tables = tuple(
        msgspec.structs.replace(each, **said) if each.file == name else each
        for each in manifest.tables
    )
    forge(folder, tables=tables)


def flip(path: Path, place: int) -> None:
    """Change one byte."""
    content = bytearray(path.read_bytes())
    content[place] ^= 0x55
    path.write_bytes(content)


def sized(text: bytes) -> dict[str, Any]:
    """What a manifest says of a text, as somebody writes who wants it believed."""
    return {"text_bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}


def shorten(folder: Path) -> None:
    """A row less, and nothing else changed."""
    replace(folder, text_of(folder).partition(b"\n")[2])


def bomb(folder: Path) -> None:
    """Much more text as the manifest says, in a small file."""
    replace(folder, text_of(folder) + bytes(10**7))


def miscount(folder: Path) -> None:
    """A row more than there is."""
    rows = text_of(folder).count(b"\n")
    replace(folder, text_of(folder), rows=rows + 1)


def garble(folder: Path) -> None:
    """Text that is as the manifest says, and is not rows."""
    text = b"no rows\n" * 3
    replace(folder, text, rows=3, **sized(text))


def repeat(folder: Path) -> None:
    """A row twice."""
    text = text_of(folder)
    text += text.partition(b"\n")[0] + b"\n"
    replace(folder, text, rows=text.count(b"\n"), **sized(text))


def orphan(folder: Path) -> None:
    """Dimensions whose rate table is not there."""
    name = file_of("rate_table")
    replace(folder, b"", name=name, rows=0, **sized(b""))


def lower(folder: Path) -> None:
    """Heads of which one has another digest, with a manifest signed anew."""
    heads = read_manifest((folder / MANIFEST).read_bytes()).heads
    forge(folder, heads=(msgspec.structs.replace(heads[0], digest="0" * 64), *heads[1:]))


def rename(folder: Path) -> None:
    """A table that the schema does not have in the place of one that it has."""
    manifest = read_manifest((folder / MANIFEST).read_bytes())
    (folder / file_of("alert")).rename(folder / file_of("other"))
    tables = tuple(
        msgspec.structs.replace(each, table="other", file=file_of("other"))
        if each.table == "alert"
        else each
        for each in manifest.tables
    )
    forge(folder, tables=tables)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda folder: flip(folder / EVENTS, 500), f"{EVENTS}: "),
        (lambda folder: flip(folder / EVENTS, -3), f"{EVENTS}: "),
        (shorten, f"{EVENTS}: is not what was dumped"),
        (bomb, f"{EVENTS}: holds more than the manifest says"),
        (miscount, f"{EVENTS}: has .* rows, and the manifest says"),
        (garble, f"{EVENTS}: does not hold rows of usage_event"),
        (repeat, f"{EVENTS}: does not hold rows of usage_event"),
        (orphan, "dimension.copy.zst: does not hold rows of dimension"),
        (lower, f"{MANIFEST}: its heads are not those"),
        (rename, "alert.copy.zst: the dump and the schema .* differ"),
    ],
)
async def test_a_damaged_dump_is_refused_and_nothing_is_loaded(
    folder: Path,
    empty_url: str,
    clock: FixedClock,
    damage: Callable[[Path], None],
    complaint: str,
) -> None:
    """With the file at fault. The target is as empty as it was, and takes the whole dump after that."""
    damage(folder)

    with pytest.raises(InvalidParameter, match=complaint):
        await load(empty_url, clock, folder)

    assert await table_counts(empty_url) == dict(SEEDED)


async def test_after_a_load_that_failed_the_whole_dump_gets_in(
    whole_dump: Path, folder: Path, empty_url: str, clock: FixedClock
) -> None:
    """Nothing of the first is in the way."""
    shorten(folder)
    with pytest.raises(InvalidParameter):
        await load(empty_url, clock, folder)

    assert (await load(empty_url, clock, whole_dump))["ok"]


async def test_a_log_that_was_altered_is_not_loaded_unless_one_asks(
    server_url: str, ledger_template: str, empty_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    """A dump is true to its source: what the source's digests find is found before it is committed."""
    name = f"{ledger_template}_altered"
    await copy_database(server_url, ledger_template, name)
    try:
        await tamper(
            with_database(server_url, name),
            "UPDATE usage_event SET output_pico = output_pico - 1" + ACME_MIDDLE,
        )
        async with opened(with_database(server_url, name)) as database:
            await dump(database, clock, tmp_path / "dump")
    finally:
        await execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")

    with pytest.raises(
        UnprocessableDecision, match=r"in 1 places, first lane 1 batch 2: its digest.*--no-verify"
    ):
        await load(empty_url, clock, tmp_path / "dump")
    assert await table_counts(empty_url) == dict(SEEDED)

    assert (await load(empty_url, clock, tmp_path / "dump", proving=False))["proved_events"] is None


async def test_a_filled_target_is_left_alone(
    whole_dump: Path, database: Database, clock: FixedClock
) -> None:
    """Even one in which there are shipped prices only; what it has is named."""
    before = await table_counts(database.url)

    with pytest.raises(SetupError, match=r"ledger_event 13.*rate_table 13.*new, empty database"):
        await load(database.url, clock, whole_dump)

    assert await table_counts(database.url) == before


async def test_a_target_at_which_somebody_is_at_work_is_left_alone(
    folder: Path, whole_dump: Path, empty_url: str, clock: FixedClock
) -> None:
    """A writer that holds a lane believes that the lane is empty. Who comes later waits."""
    shorten(folder)
    with pytest.raises(InvalidParameter):
        await load(empty_url, clock, folder)  # which makes the schema
    writer = await asyncpg.connect(empty_url)
    try:
        await writer.execute("SELECT pg_advisory_lock(2, 1)")
        with pytest.raises(SetupError, match="somebody is at work on the target"):
            await load(empty_url, clock, whole_dump)
    finally:
        await writer.close()

    assert await table_counts(empty_url) == dict(SEEDED)
    assert (await load(empty_url, clock, whole_dump))["ok"]


async def test_who_comes_while_a_ledger_is_loaded_sees_it_whole(
    whole_dump: Path, empty_url: str, clock: FixedClock
) -> None:
    """A question asked in the middle of a load is answered after it, with all that was loaded."""
    asked: list[asyncio.Task[int]] = []

    async def count() -> int:
        connection = await asyncpg.connect(empty_url)
        try:
            counted: int = await connection.fetchval("SELECT count(*) FROM ledger.batch")
            return counted
        finally:
            await connection.close()

    def come(table: str, _: int) -> None:
        if table == "usage_event" and not asked:
            asked.append(asyncio.ensure_future(count()))

    await load_ledger(
        empty_url, clock, open_dump(whole_dump, currency="USD"), proving=True, progress=come
    )

    manifest = read_manifest((whole_dump / MANIFEST).read_bytes())
    assert [await each for each in asked] == [sum(manifest.cut.values())]


async def test_a_load_that_is_called_off_leaves_an_empty_ledger(
    whole_dump: Path, empty_url: str, clock: FixedClock
) -> None:
    """By a signal, in the middle of the events."""

    def call_off(table: str, _: int) -> None:
        task = asyncio.current_task()
        if table == "usage_event" and task is not None:
            task.cancel()

    opened_dump = open_dump(whole_dump, currency="USD")
    task = asyncio.create_task(
        load_ledger(empty_url, clock, opened_dump, proving=True, progress=call_off)
    )
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await table_counts(empty_url) == dict(SEEDED)


async def test_a_killed_load_leaves_an_empty_ledger(
    whole_dump: Path, empty_url: str, clock: FixedClock
) -> None:
    """Killed in the middle of the events: not half of it is there, and it can be loaded again."""
    async with another_process(LOADER, empty_url, str(whole_dump)) as process:
        assert await process.stdout.readline() == b"now\n"
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()

    assert await table_counts(empty_url) == dict(SEEDED)
    assert (await load(empty_url, clock, whole_dump))["ok"]


async def test_a_dump_of_an_older_schema_is_brought_up_to_date(
    whole_dump: Path,
    empty_url: str,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is loaded into the schema that it is of; the migrations that came later find its rows."""
    add_migration(monkeypatch)

    loaded = await load(empty_url, clock, whole_dump)

    assert loaded["migrations"] == ["9999_later"]
    assert loaded["ok"]
    assert loaded["proved_events"] > 0
    connection = await asyncpg.connect(empty_url)
    later = await connection.fetch("SELECT DISTINCT later FROM ledger.touched_period")
    await connection.close()
    assert [row["later"] for row in later] == [loaded["proved_events"]]


async def test_an_older_dump_of_an_altered_log_is_told_of(
    folder: Path,
    empty_url: str,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its digests can be computed once all migrations are applied: what does not match is in the answer."""
    add_migration(monkeypatch)
    fields = text_of(folder).split(b"\t")
    fields[4] = b"999"  # the output tokens of the first row
    text = b"\t".join(fields)
    replace(folder, text, **sized(text))

    loaded = await load(empty_url, clock, folder)

    assert not loaded["ok"]
    assert len(loaded["offenders"]) == 1


async def test_a_target_of_a_newer_schema_is_left_alone(
    whole_dump: Path,
    empty_url: str,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Migrations go forward only: an empty ledger of a later schema cannot take older rows."""
    add_migration(monkeypatch)
    await migrations.migrate(empty_url, NOW.date())

    with pytest.raises(SetupError, match="the target has schema 9999_later, the dump"):
        await load(empty_url, clock, whole_dump)


def add_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this a later version of the product, with one migration more."""
    later = migrations.Migration(
        "9999_later",
        "-- works with: 0016\n"
        "ALTER TABLE touched_period ADD COLUMN later bigint;"
        "UPDATE touched_period SET later = (SELECT count(*) FROM usage_event);",
    )
    known = (*migrations.migrations(), later)
    for module in (migrations, loading):
        monkeypatch.setattr(module, "migrations", lambda: known)
