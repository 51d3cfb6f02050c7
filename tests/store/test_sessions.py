"""A pooler that shares sessions between transactions is refused in words, whichever way it shows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ledger.core.errors import SetupError
from ledger.store.database import owner_connection
from ledger.store.sessions import require_own_sessions, require_sessions

# ErrorResponse of the wire protocol, as PgBouncer words it.
REFUSAL = b"SFATAL\0C08P01\0Munsupported startup parameter: search_path\0\0"


@asynccontextmanager
async def refusing_pooler() -> AsyncIterator[str]:
    """Answers every connection as a pooler does that lets no settings through; its address."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"E" + (len(REFUSAL) + 4).to_bytes(4) + REFUSAL)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"postgresql://someone@127.0.0.1:{port}/ledger?sslmode=disable"


async def test_direct_connections_are_sessions(database_url: str) -> None:
    """Nobody is in between, so each has its own."""
    await require_sessions(database_url)


async def test_two_connections_that_meet_one_session_are_refused(database_url: str) -> None:
    """As a pooler by transaction hands it to one after the other."""
    async with owner_connection(database_url) as shared:
        with pytest.raises(SetupError, match="set the pooler to session mode"):
            await require_own_sessions(shared, shared)


async def test_a_pooler_that_refuses_settings_is_told_apart_from_a_database_that_is_away() -> None:
    """It answers; what has to change is how it is set up."""
    async with refusing_pooler() as url:
        with pytest.raises(SetupError, match="search_path; a pooler must work by session"):
            await require_sessions(url)
