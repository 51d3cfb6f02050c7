"""Changes of the schema that give way to whoever uses the tables.

A change that waits for a table keeps everybody waiting who comes after it. So it waits for two seconds, lets
the others through, and tries again later; what it changed until then is undone.

    change ── no lock in 2 s ──▶ undone ─▶ say who is in the way ─▶ pause ─┐
      ▲                                                                   │
      └───────────────────────────────────────────────────────────────────┘
"""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg

from ledger.core.errors import SetupError
from ledger.logs import logger
from ledger.store.database import Connection
from ledger.store.sql_files import query

PAUSES_S = (1, 2, 4, 8, *(15,) * 20)  # with the waits some six minutes

_WAIT_SHORTLY = query("migrations", "wait_shortly")
_IN_THE_WAY = query("migrations", "in_the_way")
_LOG = logger(__name__)


async def change_giving_way(
    connection: Connection, name: str, change: Callable[[], Awaitable[None]]
) -> None:
    """Make a change in a transaction, again and again while others hold what it needs.

    Raises:
        SetupError: they held it all the while; nothing of the change is left.
    """
    await connection.execute(_WAIT_SHORTLY)
    holders = ""
    for pause_s in PAUSES_S:
        try:
            async with connection.transaction():
                await change()
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            holders = await _in_the_way(connection)
        else:
            return
        _LOG.warning("migration_put_off", migration=name, holders=holders, again_in_s=pause_s)
        await asyncio.sleep(pause_s)
    raise SetupError(
        f"{name} was not applied, others kept its tables: {holders}. End them, or run "
        "`ledger migrate` again when they are done"
    )


async def _in_the_way(connection: Connection) -> str:
    """Who holds something of the ledger. Not what they run: that may hold anybody's data."""
    rows = await connection.fetch(_IN_THE_WAY)
    return "; ".join(map(_shown, rows)) or "somebody who is gone by now"


def _shown(row: asyncpg.Record) -> str:
    since = f" since {row['xact_start']:%Y-%m-%d %H:%M:%S} UTC" if row["xact_start"] else ""
    program = row["application_name"] or "a program without a name"
    return (
        f"process {row['pid']} of {row['usename']} ({program}, {row['state'] or 'hidden'}{since})"
    )
