"""Bringing a database to the schema that this version needs. Forward only, under a lock."""

import hashlib
import logging
from datetime import date
from pathlib import Path

import asyncpg
import msgspec

from ledger.core.errors import SetupError
from ledger.store.database import OWNER_ROLE, Connection, owner_connection
from ledger.store.sql_files import query, sql_folder

MONTHS_BACK = 12
MONTHS_AHEAD = 24

_LOG = logging.getLogger(__name__)


class Migration(msgspec.Struct, frozen=True):
    """One numbered file of `sql/migrations`."""

    name: str
    sql: str

    @property
    def digest(self) -> str:
        """What the database remembers, so that an edited migration is noticed."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """All migrations, in order."""
    return [Migration(path.stem, path.read_text()) for path in _migration_files()]


async def migrate(url: str, today: date) -> list[str]:
    """Apply what is missing, make months ahead, and give the names of the migrations applied.

    Safe to run by several processes at once and again at any time.

    Raises:
        SetupError: missing rights, or a database that is newer than or different from this version.
    """
    async with owner_connection(url) as connection:
        applied = await apply_migrations(connection)
        await _make_months(connection, today)
        return applied


async def apply_migrations(connection: Connection) -> list[str]:
    """Make roles and schema, apply the migrations that are missing; the connection becomes the owner's."""
    await connection.execute("SET client_min_messages = warning")
    await connection.execute(query("migrations", "lock"))
    await connection.execute((sql_folder() / "roles.sql").read_text())
    await connection.execute(f"SET ROLE {OWNER_ROLE}")
    await connection.execute(query("migrations", "make_history"))
    return await _apply_missing(connection)


async def _make_months(connection: Connection, today: date) -> None:
    """Make the months that are due. Not at any price: with 24 ahead there is time until nobody reads."""
    await connection.execute(query("migrations", "wait_shortly"))
    try:
        months = MONTHS_BACK + MONTHS_AHEAD + 1
        await connection.execute(query("migrations", "make_months"), _first_month(today), months)
    except asyncpg.LockNotAvailableError:
        _LOG.warning(
            "making months ahead met a long read; it is tried again at the next start or night"
        )


async def require_current(connection: Connection) -> None:
    """Check that the schema is the one this version was written for.

    Raises:
        SetupError: it is older, which `ledger migrate` mends, or newer, which a newer version does.
    """
    applied = {row["name"] for row in await connection.fetch(query("migrations", "history"))}
    known = {migration.name for migration in migrations()}
    _refuse_newer(applied - known)
    if missing := known - applied:
        raise SetupError(
            f"the database lacks {', '.join(sorted(missing))}; run `ledger migrate` first"
        )


def _refuse_newer(unknown: set[str]) -> None:
    if unknown:
        raise SetupError(
            f"the database is newer than this version: it has {', '.join(sorted(unknown))}"
        )


async def _apply_missing(connection: Connection) -> list[str]:
    history = {
        row["name"]: row["digest"] for row in await connection.fetch(query("migrations", "history"))
    }
    known = migrations()
    _refuse_newer(set(history) - {migration.name for migration in known})
    applied = []
    for migration in known:
        if migration.name not in history:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    query("migrations", "remember"), migration.name, migration.digest
                )
            applied.append(migration.name)
        elif history[migration.name] != migration.digest:
            raise SetupError(f"migration {migration.name} was applied with other content")
    return applied


def _migration_files() -> list[Path]:
    return sorted((sql_folder() / "migrations").glob("*.sql"))


def _first_month(today: date) -> date:
    months = today.year * 12 + today.month - 1 - MONTHS_BACK
    return date(months // 12, months % 12 + 1, 1)
