"""A ledger goes from one major of PostgreSQL to another and back, where the machine has another."""

from pathlib import Path

import asyncpg
import pytest

from ledger.clock import FixedClock
from ledger.core.cuts import parse_as_of
from ledger.store import migrations
from ledger.store.database import Database
from tests.conftest import execute
from tests.majors import other_majors, server_of
from tests.moving import RECORD, answers, bytes_in, dump, fill, load, opened, send
from tests.servers import with_database
from tests.store.rebuild_damage import whole

CUTS = [parse_as_of("1-2.2-9")]


async def test_a_ledger_moves_to_another_major_and_back(
    ledger: str,
    database: Database,
    empty_url: str,
    clock: FixedClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The oldest there is. The same spend, seals and files; what is recorded there comes back as well."""
    assert ledger
    if not (majors := other_majors()):
        pytest.skip("no other PostgreSQL on this machine")
    major, programs = next(iter(majors.items()))
    monkeypatch.setattr(migrations, "MONTHS_AHEAD", 1)
    await fill(database, clock)
    await dump(database, clock, tmp_path / "here")
    with server_of(programs) as server:
        if server is None:
            pytest.skip(f"PostgreSQL {major} cannot be run here")
        await execute(server, "CREATE DATABASE moved")
        there = with_database(server, "moved")
        assert await server_major(there) == major
        await load(there, clock, tmp_path / "here")
        async with opened(there) as moved:
            before = await answers(database, clock, tmp_path / "before", CUTS)
            assert await answers(moved, clock, tmp_path / "moved", CUTS) == before
            assert await send(moved, clock, RECORD, RECORD | {"request_id": "there"}) == [
                "duplicate",
                "accepted",
            ]
            await whole(moved, clock)
            after = await answers(moved, clock, tmp_path / "after", CUTS)
            await dump(moved, clock, tmp_path / "there")

    await load(empty_url, clock, tmp_path / "there")

    async with opened(empty_url) as back:
        assert await answers(back, clock, tmp_path / "back", CUTS) == after
        await dump(back, clock, tmp_path / "again")
    assert bytes_in(tmp_path / "again") == bytes_in(tmp_path / "there")


async def server_major(url: str) -> int:
    """Which PostgreSQL answers there."""
    connection = await asyncpg.connect(url)
    try:
        return int(connection.get_server_version().major)
    finally:
        await connection.close()
