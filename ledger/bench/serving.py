"""Servers of a ledger for a bench, and what they and the database cost while something is done to them."""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import psutil

from ledger.bench.postgres import database_cpu_s
from ledger.bench.processes import ServerProcess, peak_resident_bytes, server_process
from ledger.store.embedded import EmbeddedServer

_MEBIBYTE = 1024 * 1024
NOTHING = ("ledger.bench.nothing",)
SERVE = ("ledger", "serve", "--no-jobs", "--port", "0")
Address = tuple[str, int]


class Serving(msgspec.Struct, frozen=True):
    """Server processes that listen, and the admin key to all of them."""

    processes: Sequence[ServerProcess]
    key: str

    @property
    def addresses(self) -> list[Address]:
        """Where they listen."""
        return [(process.host, process.port) for process in self.processes]

    @property
    def peak_mib(self) -> int:
        """The most memory that one of them has held."""
        peaks = [peak_resident_bytes(each.process.pid) for each in self.processes]
        return max(peaks) // _MEBIBYTE

    @property
    def resident_mib(self) -> int:
        """The memory that the largest of them holds now."""
        sizes = [psutil.Process(each.process.pid).memory_info().rss for each in self.processes]
        return int(max(sizes)) // _MEBIBYTE

    def cpu_s(self) -> float:
        """Processor time that they have used together."""
        return sum(process.cpu_s() for process in self.processes)


class Spent(msgspec.Struct):
    """Processor time that servers and the database took, in cores, once the block of `watched` has ended."""

    server_s: float = 0.0
    database_s: float = 0.0


@asynccontextmanager
async def serving(*arguments: str, url: str = "", servers: int = 1) -> AsyncIterator[Serving]:
    """Run so many server processes on one database until the block ends."""
    key = secrets.token_hex(32)
    environment = {"LEDGER_DATABASE_URL": url, "LEDGER_ADMIN_KEY": key}
    async with AsyncExitStack() as stack:
        processes = [
            await stack.enter_async_context(
                server_process(*(arguments or SERVE), environment=environment)
            )
            for _ in range(servers)
        ]
        yield Serving(processes, key)


@asynccontextmanager
async def watched(serving: Serving, embedded: EmbeddedServer) -> AsyncIterator[Spent]:
    """Count the processor time that the servers and the database take in the block."""
    server_s, database_s = serving.cpu_s(), database_cpu_s(embedded)
    spent = Spent()
    yield spent
    spent.server_s = serving.cpu_s() - server_s
    spent.database_s = database_cpu_s(embedded) - database_s
