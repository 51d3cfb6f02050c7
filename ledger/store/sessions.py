"""Whether connections are sessions. Lanes, jobs and migrations hold locks that end with a session.

A pooler that hands out sessions by transaction gives such a lock to whoever comes next. It is found by using
two connections in turn: each must meet a session of its own, and meet it again.
"""

from ledger.core.errors import SetupError
from ledger.store.database import Connection, owner_connection
from ledger.store.sql_files import query

_SESSION = query("database", "session")


async def require_sessions(url: str) -> None:
    """Check that the address leads to PostgreSQL directly or through a pooler of whole sessions.

    Raises:
        SetupError: it does not.
    """
    async with owner_connection(url) as one, owner_connection(url) as another:
        await require_own_sessions(one, another)


async def require_own_sessions(one: Connection, another: Connection) -> None:
    """Check that two connections have a session each.

    The second one asks within a transaction, which keeps a pooled session from the first.
    """
    before = await one.fetchval(_SESSION)
    async with another.transaction():
        between = await another.fetchval(_SESSION)
        after = await one.fetchval(_SESSION)
    if before != after or before == between:
        raise SetupError(
            "LEDGER_DATABASE_URL leads to a pooler that shares sessions between transactions; the ledger "
            "holds locks by session: connect directly, or set the pooler to session mode"
        )
