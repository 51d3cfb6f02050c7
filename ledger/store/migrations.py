"""Bringing a database to the schema that this version needs, and telling whether it has it. Forward only.

one process at a time ─▶ roles, history ─▶ each missing migration in a transaction of its own:
                                           fence, epoch raised ─▶ the file ─▶ remembered
"""

import hashlib
import re
from datetime import date
from functools import cache

import asyncpg
import msgspec

from ledger.core.errors import SetupError
from ledger.core.schema_versions import SchemaState, compare_schema
from ledger.logs import logger
from ledger.store.database import OWNER_ROLE, Connection, owner_connection
from ledger.store.giving_way import change_giving_way
from ledger.store.sql_files import query, sql_folder

MONTHS_BACK = 12
MONTHS_AHEAD = 24
FEWEST_MONTHS_AHEAD = 12
FEW_MONTHS = (
    f"fewer than {FEWEST_MONTHS_AHEAD} months are made ahead; "
    "run `ledger migrate` with a login that may"
)

_WORKS_WITH = re.compile(r"-- works with: (\d{4})\n")
_HISTORY = query("migrations", "history")
_RAISE_EPOCH = query("log", "raise_epoch")
_LOG = logger(__name__)


class Migration(msgspec.Struct, frozen=True):
    """One numbered file of `sql/migrations`."""

    name: str
    sql: str

    @property
    def digest(self) -> str:
        """What the database remembers, so that an edited migration is noticed."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def works_with(self) -> str | None:
        """The oldest schema whose programs may go on after it, as its first line states.

        None in those before 0016, when programs refused whatever was newer.
        """
        stated = _WORKS_WITH.match(self.sql)
        return stated and stated[1]


@cache
def migrations() -> tuple[Migration, ...]:
    """All migrations, in order. Read once: a process stays what it was when its files are replaced."""
    paths = sorted((sql_folder() / "migrations").glob("*.sql"))
    return tuple(Migration(path.stem, path.read_text()) for path in paths)


def newest_migration() -> str:
    """The name of the last one: the schema that this version works on."""
    return migrations()[-1].name


async def migrate(url: str, today: date) -> list[str]:
    """Apply what is missing, make months ahead, and give the names of the migrations applied.

    Safe to run by several processes at once and again at any time. A newer database that works with this
    version is left as it is. A login that may not be the owner, though there is one, leaves all to another
    and only looks whether it is done.

    Raises:
        SetupError: missing rights, others who hold what a migration needs, or a database that is newer than
            or different from this version.
    """
    async with owner_connection(url) as connection:
        if await connection.fetchval(query("migrations", "may_not_be_owner")):
            await _require_migrated(connection, today)
            return []
        applied = await apply_migrations(connection)
        await _make_months(connection, today)
        return applied


async def apply_migrations(connection: Connection, through: str | None = None) -> list[str]:
    """Make roles and schema, apply the migrations that are missing; the connection becomes the owner's.

    `through` names the last one to apply; None for all.
    """
    await connection.execute("SET client_min_messages = warning")
    await _be_alone(connection)
    await connection.execute((sql_folder() / "roles.sql").read_text())
    await connection.execute(f"SET ROLE {OWNER_ROLE}")
    await connection.execute(query("migrations", "make_history"))
    return await _apply_missing(connection, through)


async def _require_migrated(connection: Connection, today: date) -> None:
    """Check what another login is to do: the schema, and months ahead."""
    try:
        await require_current(connection)
    except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError) as error:
        raise SetupError(
            f"this login is no member of {OWNER_ROLE}, and nobody has migrated for it; run `ledger migrate` "
            "with one that is, and grant this one ledger_service and ledger_bound"
        ) from error
    if not await has_months_enough(connection, today):
        _LOG.warning("few_months_ahead", wanted=FEWEST_MONTHS_AHEAD)


async def has_months_enough(connection: Connection, today: date) -> bool:
    """Whether there is time until whoever may make months is to do so again."""
    month = _month_after(today, FEWEST_MONTHS_AHEAD)
    return bool(await connection.fetchval(query("migrations", "has_month"), month))


async def read_schema_state(connection: Connection) -> SchemaState:
    """What the database has against what this version knows."""
    if not await connection.fetchval(query("migrations", "has_history")):
        return compare_schema([migration.name for migration in migrations()], {})
    return _compared(await connection.fetch(_HISTORY))


async def schema_fault(connection: Connection) -> str | None:
    """Why this version cannot work on the database as it is, and what to do; None if it can.

    One small read, under any role of ours.
    """
    return _compared(await connection.fetch(_HISTORY)).fault


async def require_current(connection: Connection) -> SchemaState:
    """Check that this version can work on the database, whose schema may be newer if it allows for that.

    Raises:
        SetupError: it is older, which `ledger migrate` mends, or too new, which a newer version does.
    """
    state = _compared(await connection.fetch(_HISTORY))
    if state.fault:
        raise SetupError(state.fault)
    return state


async def _be_alone(connection: Connection) -> None:
    """Wait until no other process migrates, and say so where that takes a while."""
    await connection.execute(query("migrations", "wait_shortly"))
    try:
        await connection.execute(query("migrations", "lock"))
    except asyncpg.LockNotAvailableError:
        _LOG.warning("waiting_for_migrator")
        await connection.execute(query("migrations", "wait_for_ever"))
        await connection.execute(query("migrations", "lock"))
    await connection.execute(query("migrations", "wait_for_ever"))


async def _apply_missing(connection: Connection, through: str | None) -> list[str]:
    history = await connection.fetch(_HISTORY)
    state = _compared(history)
    if state.refusal:
        raise SetupError(state.refusal)
    digests = {row["name"]: row["digest"] for row in history}
    for migration in migrations():
        if digests.get(migration.name, migration.digest) != migration.digest:
            raise SetupError(f"migration {migration.name} was applied with other content")
    wanted = [name for name in state.missing if through is None or name <= through]
    for migration in migrations():
        if migration.name in wanted:
            await _apply(connection, migration)
            _LOG.info("migration_applied", migration=migration.name)
    return wanted


async def _apply(connection: Connection, migration: Migration) -> None:
    async def change() -> None:
        remembered = [migration.name, migration.digest]
        if migration.works_with is None:
            await connection.execute(migration.sql)
            await connection.execute(query("migrations", "remember_early"), *remembered)
            return
        # First of all: no writer is in the middle of anything, and each looks at the schema before its next.
        await connection.execute(_RAISE_EPOCH)
        await connection.execute(migration.sql)
        await connection.execute(query("migrations", "remember"), *remembered, migration.works_with)

    await change_giving_way(connection, migration.name, change)


async def _make_months(connection: Connection, today: date) -> None:
    """Make the months that are due. Not at any price: with 24 ahead there is time until nobody reads."""
    await connection.execute(query("migrations", "wait_shortly"))
    try:
        months = MONTHS_BACK + MONTHS_AHEAD + 1
        await connection.execute(query("migrations", "make_months"), first_month(today), months)
    except asyncpg.LockNotAvailableError:
        _LOG.warning("months_put_off")  # until the next start or night


def _compared(history: list[asyncpg.Record]) -> SchemaState:
    known = [migration.name for migration in migrations()]
    return compare_schema(known, {row["name"]: row["works_with"] for row in history})


def first_month(today: date) -> date:
    """The first month that a new ledger has a partition for."""
    return _month_after(today, -MONTHS_BACK)


def last_month(today: date) -> date:
    """The last month that a ledger has a partition for."""
    return _month_after(today, MONTHS_AHEAD)


def _month_after(day: date, months: int) -> date:
    month = day.year * 12 + day.month - 1 + months
    return date(month // 12, month % 12 + 1, 1)
