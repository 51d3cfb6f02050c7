"""Databases for benches, on a server of their own: each point gets a fresh one. The SQL is the bench's."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from ledger.bench.running import run_bench
from ledger.bootstrap import open_ledger
from ledger.settings import Settings
from ledger.store.database import owner_connection
from ledger.store.embedded import EmbeddedServer, embedded_server

_TEMPLATE = "ledger_bench"
_EVENT_BYTES = """
SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint
FROM unnest(ARRAY['usage_event', 'event_text']::regclass[]) AS parent, pg_partition_tree(parent)
"""
_EVENTS = "SELECT count(*) FROM usage_event"
_Found = TypeVar("_Found")


class BenchServer(msgspec.Struct, frozen=True):
    """A running server with a migrated database on it that fresh ones are cloned from."""

    embedded: EmbeddedServer

    @property
    def version(self) -> str:
        """PostgreSQL's version, from the data it keeps."""
        return (self.embedded.data_dir / "postgres" / "PG_VERSION").read_text().strip()

    async def fresh_database(self, name: str) -> str:
        """The address of a new database: migrated, rates published, nothing else; all of it on the disk."""
        async with owner_connection(self.embedded.url("postgres")) as connection:
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE {_TEMPLATE}')
            await connection.execute("CHECKPOINT")
        return self.embedded.url(name)

    async def drop_database(self, name: str) -> None:
        """Remove a database and make room."""
        async with owner_connection(self.embedded.url("postgres")) as connection:
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def on_bench_server(measure: Callable[[BenchServer], Awaitable[_Found]]) -> _Found:
    """Run a bench to its end on a server of its own."""

    async def run() -> _Found:
        async with bench_server() as server:
            return await measure(server)

    return run_bench(run())


@asynccontextmanager
async def bench_server(
    settings: Mapping[str, str] | None = None, parent: Path | None = None
) -> AsyncIterator[BenchServer]:
    """An embedded server in a temporary folder with the settings that the product ships, fsync on.

    Only tests, which look at no time, have other settings and a folder in memory.
    """
    with _open_folder(parent) as folder:
        async with embedded_server(folder, settings=settings) as embedded:
            template = Settings(database_url=embedded.url(_TEMPLATE), data_dir=folder)
            async with owner_connection(embedded.url("postgres")) as connection:
                await connection.execute(f"CREATE DATABASE {_TEMPLATE}")
            async with open_ledger(template, migrating=True):
                pass
            yield BenchServer(embedded)


@contextmanager
def _open_folder(parent: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(
        prefix="ledger-bench-", dir=parent, ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        folder.chmod(0o711)  # as root an unprivileged user runs the server and has to get in
        yield folder


async def event_bytes(url: str) -> int:
    """What events and the words beside them take: rows, indexes and all."""
    async with owner_connection(url) as connection:
        taken: int = await connection.fetchval(_EVENT_BYTES)
        return taken


async def count_events(url: str) -> int:
    """How many events are recorded."""
    async with owner_connection(url) as connection:
        count: int = await connection.fetchval(_EVENTS)
        return count


async def require_recorded(url: str, accepted: int, unanswered: int = 0) -> None:
    """Hold the answers against the log; what was never answered may be in it or not.

    Raises:
        RuntimeError: fewer events are recorded than were accepted, or more than were sent.
    """
    events = await count_events(url)
    if not accepted <= events <= accepted + unanswered:
        raise RuntimeError(f"{accepted} records were accepted, {events} are recorded")
