"""`/readyz`: ready when database, schema, lane and clock are; answered soon, whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import httpx
import pytest

from ledger.clock import FixedClock, SystemClock
from ledger.services.observing import readiness
from ledger.store.database import POOL_SIZE, Database
from tests.api.doors import Door, open_door, record
from tests.conftest import ADMIN_KEY, execute
from tests.lines import Line, line_to
from tests.scenarios.job_desk import terminate

PATIENCE_S = 20
NAMES = ["database", "migrations", "lane", "clock"]
Checks = dict[str, dict[str, Any]]


@pytest.fixture(autouse=True)
def never_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The schema is looked at anew each time."""
    monkeypatch.setattr(readiness, "KEEP_S", 0)


@pytest.fixture
def present() -> FixedClock:
    """A clock that stands at the present, as the database has it, for as long as a test takes."""
    return FixedClock(SystemClock().now())


@pytest.fixture
async def door(database: Database, present: FixedClock) -> AsyncIterator[Door]:
    """The application, once it is ready."""
    async with open_door(database, present) as opened:
        await faults_become(opened, {})
        yield opened


async def asked(door: Door) -> tuple[httpx.Response, Checks]:
    """What everybody is told."""
    answer = await door.client.get("/readyz")
    return answer, {check["name"]: check for check in answer.json()["checks"]}


async def faults(door: Door) -> dict[str, str]:
    """What is not as it should be."""
    answer, checks = await asked(door)
    assert list(checks) == NAMES
    found = {name: check["code"] for name, check in checks.items() if not check["ok"]}
    assert answer.status_code == (503 if found else 200)
    return found


async def faults_become(door: Door, expected: dict[str, str]) -> None:
    """Ask until the faults are these."""
    found = {}
    async with asyncio.timeout(PATIENCE_S):
        while (found := await faults(door)) != expected:  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.02)
    assert found == expected


async def test_ready_is_said_check_by_check_to_everybody(door: Door) -> None:
    """Without a key, and without a word on what runs where."""
    answer, _ = await asked(door)
    checks = [{"name": name, "ok": True} for name in NAMES]
    assert answer.json() == {"status": "ready", "checks": checks}


async def test_a_schema_of_another_version_is_not_ready(door: Door, database: Database) -> None:
    """A newer process has migrated: this one says so, and nothing of what it found there."""
    columns, values = "name, digest, works_with", "'9999_of_tomorrow', '', '9999'"
    row = f"INSERT INTO ledger.schema_migration ({columns}) VALUES ({values})"
    await execute(database.url, row)
    answer, checks = await asked(door)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["error"]["code"] == "not_ready"
    assert checks["migrations"] == {"name": "migrations", "ok": False, "code": "other_schema"}
    assert "tomorrow" not in answer.text


@pytest.mark.parametrize("off_s", [-90, 90])
async def test_a_clock_that_is_off_is_not_ready(
    door: Door, present: FixedClock, off_s: int
) -> None:
    """Ahead or behind by more than a minute; once it is set right all is well again."""
    before = present.instant
    present.instant = before + timedelta(seconds=off_s)
    await faults_become(door, {"clock": "off"})
    present.instant = before
    await faults_become(door, {})


@pytest.mark.parametrize("off_s", [-30, 30])
async def test_half_a_minute_is_borne(door: Door, present: FixedClock, off_s: int) -> None:
    """No two clocks are the same."""
    offset = door.database.presence.clock_offset
    present.instant += timedelta(seconds=off_s)
    async with asyncio.timeout(PATIENCE_S):
        while (now := door.database.presence.clock_offset) in (None, offset):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert now is not None
    assert -45 < now.ahead_s + off_s < 45
    assert await faults(door) == {}


async def test_a_lane_that_is_lost_is_taken_again_unasked(door: Door, database: Database) -> None:
    """Somebody ends the session of the writer; it begins another without a record that asks for it."""
    first = await lane_holder(database)
    assert first is not None
    await terminate(database.url, first)
    async with asyncio.timeout(PATIENCE_S):
        while await lane_holder(database) in (None, first):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
    await faults_become(door, {})
    answer = await door.ask(ADMIN_KEY, "POST", "/v1/requests", json=record("a", "acme"))
    assert answer.status_code == 201


async def lane_holder(database: Database) -> int | None:
    """The process of the session that holds a lane of this database."""
    held = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 2 AND granted"
    ours = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    async with database.connection() as connection:
        pid: int | None = await connection.fetchval(f"{held} AND {ours}")
    return pid


async def test_a_pool_in_use_does_not_make_it_unready(door: Door, database: Database) -> None:
    """The schema cannot be read at the moment, so it is what it was."""
    async with AsyncExitStack() as others:
        for _ in range(POOL_SIZE):
            await others.enter_async_context(database.connection())
        assert await faults(door) == {}


@pytest.mark.parametrize("how", ["refused", "silent"])
async def test_a_database_that_is_away_is_told_within_two_seconds_of_asking(
    database_url: str, present: FixedClock, how: str
) -> None:
    """From the moment it goes, to many at once; and when it is back the lane is as well."""
    async with line_to(database_url) as line:
        database = Database(line.url)
        await database.open()
        async with open_door(database, present) as door:
            await faults_become(door, {})
            await lose(line, how)
            away = dict.fromkeys(NAMES[1:], "unknown") | {"lane": "lost", "database": how}
            await faults_become(door, away)
            answers = await asyncio.gather(*(asked(door) for _ in range(50)))
            assert {answer.json()["error"]["code"] for answer, _ in answers} == {
                "database_unavailable"
            }
            await line.restore()
            await faults_become(door, {})
        await database.close()


async def lose(line: Line, how: str) -> None:
    """Stop the server, or hang it."""
    if how == "refused":
        await line.cut()
    else:
        line.silence()
