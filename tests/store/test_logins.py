"""The two logins of `sql/logins.sql`: one migrates, one serves, and neither may do more."""

import os
import subprocess
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import pytest

from ledger.clock import FixedClock
from ledger.core.errors import SetupError
from ledger.services.rates import publish_shipped
from ledger.store.database import Database, owner_connection
from ledger.store.embedded import find_binary
from ledger.store.loading import make_schema
from ledger.store.migrations import migrate, migrations
from tests.conftest import NOW, execute
from tests.scenarios.job_desk import due_at, product_job
from tests.schema import make_database

LOGINS = Path(__file__).parents[2] / "sql" / "logins.sql"
PASSWORDS = {
    "LEDGER_MIGRATOR_PASSWORD": 'it\'s a \\ "migrator"',
    "LEDGER_SERVER_PASSWORD": "$erver :x",
}
TODAY = date(2026, 11, 20)
FORBIDDEN = (
    "UPDATE ledger.usage_event SET requests = 0",
    "DELETE FROM ledger.ledger_event",
    "TRUNCATE ledger.batch",
    "ALTER TABLE ledger.usage_event DISABLE TRIGGER ALL",
    "CREATE TABLE ledger.mine ()",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
    "SET ROLE ledger_owner",
    "GRANT ledger_owner TO ledger_server",
)


def as_login(url: str, name: str) -> str:
    """The same database for another login."""
    parts = urlsplit(url)
    password = quote(PASSWORDS[f"{name.upper()}_PASSWORD"], safe="")
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{name}:{password}@{host}"))


def make_logins(url: str) -> None:
    """Run the file as its heading says."""
    subprocess.run(
        [find_binary("psql"), "--no-psqlrc", "--quiet", "--file", LOGINS, url],
        env={**os.environ, **PASSWORDS},
        check=True,
        capture_output=True,
        timeout=30,
    )


@pytest.fixture
async def empty_url(server_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """An empty database with both logins; those go again with it, for they belong to the whole server."""
    name = f"ledger_logins_{os.getpid()}"
    url = await make_database(server_url, name)
    make_logins(url)
    monkeypatch.setattr("ledger.store.migrations.MONTHS_AHEAD", 13)
    yield url
    await execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")
    await execute(server_url, "DROP ROLE ledger_migrator; DROP ROLE ledger_server")


async def test_one_login_migrates_and_one_serves(
    empty_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The server finds the schema made, publishes rates, and has no wish to migrate."""
    migrator, server = (as_login(empty_url, f"ledger_{word}") for word in ("migrator", "server"))

    assert await migrate(migrator, TODAY) == [each.name for each in migrations()]
    assert await migrate(server, TODAY) == []
    assert warnings_in(caplog) == []
    await publish(server)
    assert await migrate(migrator, TODAY) == []


async def publish(url: str) -> None:
    database = Database(url)
    await database.open()
    try:
        assert await publish_shipped(database, FixedClock(NOW), currency="USD")
    finally:
        await database.close()


async def test_the_file_may_be_run_again(empty_url: str) -> None:
    """As for new passwords; they are kept as hashes."""
    make_logins(empty_url)

    connection = await asyncpg.connect(empty_url)
    try:
        kept = await connection.fetch(
            "SELECT rolname, rolpassword, rolsuper, rolcreaterole, rolcreatedb FROM pg_authid"
            " WHERE rolname LIKE 'ledger\\_%' AND rolcanlogin ORDER BY rolname"
        )
    finally:
        await connection.close()
    assert [row["rolname"] for row in kept] == ["ledger_migrator", "ledger_server"]
    for row in kept:
        assert row["rolpassword"].startswith("SCRAM-SHA-256$")
        assert not any((row["rolsuper"], row["rolcreaterole"], row["rolcreatedb"]))


async def test_the_server_can_change_no_fact_and_no_right(empty_url: str) -> None:
    """Whoever takes the service over can append lies, and rewrite nothing."""
    await migrate(as_login(empty_url, "ledger_migrator"), TODAY)

    server = await asyncpg.connect(as_login(empty_url, "ledger_server"))
    try:
        for statement in FORBIDDEN:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await server.execute(statement)
    finally:
        await server.close()


async def test_a_server_loads_no_ledger(empty_url: str) -> None:
    """And is not told to migrate, after which nobody could load."""
    async with owner_connection(as_login(empty_url, "ledger_server")) as connection:
        with pytest.raises(SetupError, match="no member of ledger_owner and may not make a ledger"):
            await make_schema(connection, migrations()[-1].name)


async def test_a_server_says_who_has_to_migrate(
    empty_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Before the first migration, after a new version, and when the months run out."""
    migrator, server = (as_login(empty_url, f"ledger_{word}") for word in ("migrator", "server"))
    with pytest.raises(SetupError, match="no member of ledger_owner, and nobody has migrated"):
        await migrate(server, TODAY)
    await migrate(migrator, TODAY)

    await migrate(server, date(2026, 12, 31))
    assert warnings_in(caplog) == []
    await migrate(server, date(2027, 1, 1))
    assert warnings_in(caplog) == ["few_months_ahead wanted=12"]

    await execute(empty_url, "DELETE FROM ledger.schema_migration WHERE name = '0007_grants'")
    with pytest.raises(SetupError, match="lacks 0007_grants; run `ledger migrate`"):
        await migrate(server, TODAY)


async def test_a_server_that_may_not_make_months_says_so_once_they_are_few(empty_url: str) -> None:
    """Its job fails then, where somebody sees it; until then it has nothing to do."""
    await migrate(as_login(empty_url, "ledger_migrator"), TODAY)
    clock = FixedClock(NOW)
    database = Database(as_login(empty_url, "ledger_server"))
    await database.open()
    try:
        job = product_job(database, clock, "months")
        assert await due_at(database, clock, job, "2026-12-31T00:00:00Z") == ["2026-12-30 done"]
        assert await due_at(database, clock, job, "2027-01-02T00:00:00Z") == ["2027-01-01 failed"]
    finally:
        await database.close()


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log has that somebody should look at."""
    return [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
