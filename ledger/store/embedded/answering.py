import os
from pathlib import Path
from urllib.parse import quote

import asyncpg

from ledger.store.embedded.cluster import SUPERUSER
from ledger.store.embedded.socket_folder import PORT

# The driver reports a server that dies during a call in all of these ways.
CONNECTION_ERRORS = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

_MAINTENANCE_DATABASE = "postgres"
_CONNECT_TIMEOUT_S = 5.0


def make_url(socket_dir: Path, database: str) -> str:
    """Gives the connection URL of a database of the server behind a socket folder.

    Port and TLS mode are named so that PGPORT and PGSSLMODE in the environment change nothing.
    """
    host = quote(os.fsencode(socket_dir), safe="")
    name = quote(database, safe="")
    return f"postgresql://{SUPERUSER}@/{name}?host={host}&port={PORT}&sslmode=disable"


async def answers(socket_dir: Path) -> bool:
    """Says whether the server answers a query; one that starts, recovers or ends does not."""
    try:
        connection = await _connect(socket_dir)
        try:
            await connection.fetchval("SELECT 1")
        finally:
            await connection.close(timeout=_CONNECT_TIMEOUT_S)
    except asyncpg.TooManyConnectionsError:
        return True
    except CONNECTION_ERRORS:
        return False
    return True


async def ensure_database(socket_dir: Path, database: str) -> None:
    """Creates a database unless it exists. Callers take turns (the gate)."""
    connection = await _connect(socket_dir)
    try:
        known = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database)
        if known is None:
            await connection.execute(
                f"CREATE DATABASE \"{database}\" TEMPLATE template0 ENCODING 'UTF8'"
            )
    finally:
        await connection.close(timeout=_CONNECT_TIMEOUT_S)


async def _connect(socket_dir: Path) -> asyncpg.Connection:
    url = make_url(socket_dir, _MAINTENANCE_DATABASE)
    return await asyncpg.connect(url, timeout=_CONNECT_TIMEOUT_S)
