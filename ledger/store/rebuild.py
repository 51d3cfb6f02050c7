"""Deriving projections anew into temporary tables, comparing them with what is stored, posting differences.

Temporary tables are the session's: `rebuilt_<name>` is what the facts give, `differing_<name>` the keys at
which the stored table says something else. They outlive the snapshot that they were read in.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from ledger.core.cuts import Cut
from ledger.core.errors import SetupError, UnprocessableDecision
from ledger.core.limits import SpendLimit, Window, window_of
from ledger.store.database import Connection, Database
from ledger.store.limits import limit_from_row
from ledger.store.log import enter_fence, raise_epoch, read_cut
from ledger.store.meter_usage import read_window_fees
from ledger.store.our_words import in_our_words
from ledger.store.sql_files import query

# Each group is repaired in one transaction, in the order in which its tables are locked by everybody.
SETTINGS = ("customer_setting", "spend_limit", "limit_window", "alert", "api_key")
SUMS = (
    "rollup_hour",
    "rollup_hour_unit",
    "rollup_lane_hour",
    "rollup_lane_hour_unit",
    "meter_usage",
)
DAYS = ("rollup_day", "rollup_day_unit")
DOCUMENTS = ("number_series", "invoice", "invoice_line")
PROJECTIONS = SETTINGS + SUMS + DAYS + DOCUMENTS
# Windows follow from the limits that the facts give, days from the hours that they give.
_NEEDS = {
    "limit_window": "spend_limit",
    "rollup_day": "rollup_hour",
    "rollup_day_unit": "rollup_hour_unit",
}
_ALSO_TOUCH = ("rollup_hour", "rollup_hour_unit")  # days, beside months
CHUNK_KEYS = 10_000
LEAVE_TIMEOUT_S = 2

_TRY_ALONE = query("rebuild", "try_alone")
_END_ALONE = query("rebuild", "end_alone")
_FORGET = query("rebuild", "forget")
_GRANT_MEMORY = query("rebuild", "grant_memory")
_KEEP_CUT = query("rebuild", "keep_cut")
_FILL_CUT = query("rebuild", "fill_cut")
_PREFER_HASHING = query("rebuild", "prefer_hashing")
_PREFER_NOTHING = query("rebuild", "prefer_nothing")
_UNANNOUNCED = query("repair", "unannounced")


class Table(msgspec.Struct, frozen=True):
    """Every row of a table in the order of its keys: how many, and the SHA-256 of their bytes."""

    rows: int
    digest: str


@asynccontextmanager
async def rebuilding(database: Database) -> AsyncIterator[Connection]:
    """A connection that rebuilds, alone.

    Raises:
        UnprocessableDecision: another rebuild is at work (`rebuild_running`).
        SetupError: the database allows no temporary tables.
    """
    connection = await database.connect()
    try:
        async with in_our_words(), _allowed_temporary_tables():
            if not await connection.fetchval(_TRY_ALONE):
                raise UnprocessableDecision(
                    "another rebuild is at work; wait until it has ended, then run this one again",
                    code="rebuild_running",
                )
            yield connection
    finally:
        await _leave(connection)


@asynccontextmanager
async def rebuild_snapshot(connection: Connection) -> AsyncIterator[Cut]:
    """One consistent state to derive and compare in; gives its cut. Earlier passes are forgotten."""
    await connection.execute(_FORGET)
    async with connection.transaction(isolation="repeatable_read"):
        await connection.execute(_GRANT_MEMORY)
        cut = await read_cut(connection)
        await connection.execute(_KEEP_CUT)
        await connection.execute(_FILL_CUT, list(cut.keys()), list(cut.values()))
        yield cut


async def derive(connection: Connection, name: str) -> None:
    """Derive a projection from the facts of the snapshot."""
    await connection.execute(_PREFER_HASHING)
    if name in _NEEDS:
        await connection.execute(query("rebuild", f"{_NEEDS[name]}_derive"))
    await connection.execute(query("rebuild", f"{name}_derive"))
    await connection.execute(_PREFER_NOTHING)


async def read_stored(connection: Connection, name: str) -> Table:
    """What the projection says."""
    return await _digest(connection, query("rebuild", f"{name}_stored"))


async def read_rebuilt(connection: Connection, name: str) -> Table:
    """What the facts say."""
    return await _digest(connection, query("rebuild", f"{name}_rebuilt"))


async def find_differing(connection: Connection, name: str) -> int:
    """Keep the keys at which the two differ for the repair; give their number."""
    status: str = await connection.execute(query("rebuild", f"{name}_differing"))
    return int(status.removeprefix("SELECT "))


async def repair_settings(connection: Connection, names: Iterable[str]) -> None:
    """Repair what writers cache and what follows from it, while no writer is inside the fence.

    What was decided since the snapshot stands. Afterwards writers read the configuration again.
    """
    async with connection.transaction(isolation="read_committed"):
        await raise_epoch(connection)
        for name in _in_order(SETTINGS, names):
            await connection.execute(query("repair", f"{name}_repair"))


async def repair_sums(connection: Connection, name: str, differing: int) -> None:
    """Add what sums lack, and mark their months for the next invoice run, a chunk of keys at a time."""
    await connection.execute(query("repair", f"{name}_index"))
    for first in range(0, differing, CHUNK_KEYS):
        chunk = (first, first + CHUNK_KEYS)
        async with connection.transaction(isolation="read_committed"):
            epoch = await enter_fence(connection)
            await connection.execute(query("repair", f"{name}_add"), *chunk)
            await connection.execute(query("repair", f"{name}_clear"), *chunk)
            if name in _ALSO_TOUCH:  # before months, as posting does
                await connection.execute(query("repair", f"{name}_touch_days"), *chunk, epoch)
            await connection.execute(query("repair", f"{name}_touch"), *chunk, epoch)


async def mark_days(connection: Connection, names: Iterable[str]) -> None:
    """Let the days that differ be read from their hours, until they are condensed anew.

    A transaction for each table: together they would not lock marks in the order of keys.
    """
    for name in _in_order(DAYS, names):
        async with connection.transaction(isolation="read_committed"):
            epoch = await enter_fence(connection)
            await connection.execute(query("repair", f"{name}_touch"), epoch)


async def repair_documents(connection: Connection, names: Iterable[str]) -> None:
    """Put documents in the place of what was found instead, and mark the months that they bill."""
    wanted = _in_order(DOCUMENTS, names)
    async with connection.transaction(isolation="read_committed"):
        epoch = await enter_fence(connection)
        if "invoice_line" in wanted:
            await connection.execute(query("repair", "invoice_line_touch"), epoch)
        for name in wanted:
            await connection.execute(query("repair", f"{name}_repair"))


async def read_unannounced(connection: Connection) -> list[tuple[SpendLimit, Window, int]]:
    """Windows that reached a threshold without an alert: limit, window, spend in pico units.

    The spend is with the tiered fees of the months in the window.
    """
    fees = await read_window_fees(connection)
    return [
        (
            limit_from_row(row),
            window_of(row["window_kind"], row["window_start"]),
            int(row["spend_pico"]),
        )
        for row in await connection.fetch(_UNANNOUNCED, *fees)
    ]


def _in_order(order: tuple[str, ...], names: Iterable[str]) -> list[str]:
    """Tables in the order in which everybody locks them."""
    wanted = set(names)
    return [name for name in order if name in wanted]


async def _digest(connection: Connection, sql: str) -> Table:
    """Hash rows as COPY writes them; few are in memory at a time."""
    digest = hashlib.sha256()

    async def update(chunk: bytes) -> None:
        digest.update(chunk)

    status: str = await connection.copy_from_query(sql.rstrip(";"), output=update)
    return Table(int(status.removeprefix("COPY ")), digest.hexdigest())


async def _leave(connection: Connection) -> None:
    """Let the next rebuild in, at once where that can be. Never fails: what cannot be closed is cut."""
    try:
        await connection.execute(_END_ALONE, timeout=LEAVE_TIMEOUT_S)
        await connection.close(timeout=LEAVE_TIMEOUT_S)
    except Exception:  # noqa: BLE001 - its end is all that matters
        connection.terminate()


@asynccontextmanager
async def _allowed_temporary_tables() -> AsyncIterator[None]:
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as error:
        raise SetupError(
            "the rebuild needs temporary tables; "
            f"GRANT TEMPORARY ON DATABASE ... TO ledger_service ({error})"
        ) from error
