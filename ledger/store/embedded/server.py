import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ledger.store.embedded.answering import CONNECTION_ERRORS, ensure_database, make_url
from ledger.store.embedded.binaries import choose_bin_dir
from ledger.store.embedded.cluster import ensure_cluster
from ledger.store.embedded.data_folder import DataFolder, open_data_folder
from ledger.store.embedded.errors import EmbeddedServerError
from ledger.store.embedded.locks import exclusive_lock, open_lock_file, try_lock
from ledger.store.embedded.postmaster import read_socket_dir, stop, tell_to_stop
from ledger.store.embedded.socket_folder import choose_socket_dir, open_socket_dir
from ledger.store.embedded.starting import Start, bring_up
from ledger.store.embedded.threads import run_in_thread

DATABASE = "ledger"

# Beside a start, a process may have to wait for a stop in two attempts.
_STOP_ALLOWANCE_S = 180.0

# The folders of the servers that this process uses, by the file descriptor that counts it as a user.
_in_use: dict[int, DataFolder] = {}


@dataclass(frozen=True)
class EmbeddedServer:
    """A PostgreSQL server that runs and answers.

    Attributes:
        data_dir: the product's data folder.
        bin_dir: where its PostgreSQL programs (`psql`, `pg_dump`) are.
        socket_dir: the folder of the unix socket it listens on.
        process_id: its first process.
    """

    data_dir: Path
    bin_dir: Path
    socket_dir: Path
    process_id: int

    def url(self, database: str = DATABASE) -> str:
        """Gives the connection URL of a database, for asyncpg as for PostgreSQL's programs."""
        return make_url(self.socket_dir, database)


@asynccontextmanager
async def embedded_server(
    data_dir: Path,
    *,
    settings: Mapping[str, str] | None = None,
    startup_timeout_s: float = 120,
) -> AsyncIterator[EmbeddedServer]:
    """Uses the server of a data folder, starting it for the first user and stopping it at the last.

    Args:
        data_dir: the product's data folder; made if missing.
        settings: PostgreSQL settings that replace the ledger's own. A server that already runs
            keeps those it was started with.
        startup_timeout_s: how long the server may take to answer. After a crash it first replays
            its log, which takes from moments to minutes.

    Raises:
        EmbeddedServerError: the server cannot be used; the message says what to do.
    """
    try:
        folder = await run_in_thread(partial(open_data_folder, data_dir))
        server, users = await _enter(folder, settings or {}, startup_timeout_s)
    except CONNECTION_ERRORS as error:
        raise EmbeddedServerError(
            f"The database server in {data_dir} cannot be used: {error}. Check who owns the"
            " folder and its disk, or choose another LEDGER_DATA_DIR."
        ) from error
    _in_use[users] = folder
    try:
        yield server
    finally:
        del _in_use[users]
        await _leave(folder, server.bin_dir, users)


def stop_servers_at_once() -> None:
    """Tells the servers that only this process uses to stop, and does not wait; the process ends next.

    Whoever starts one meanwhile waits until it has stopped. Where somebody is starting or stopping one at
    this moment, that goes its own way.
    """
    for users, folder in _in_use.items():
        with suppress(OSError):
            gate = open_lock_file(folder.gate)
            if try_lock(gate) and try_lock(users):
                tell_to_stop(folder.cluster_dir)


async def _enter(
    folder: DataFolder, settings: Mapping[str, str], timeout_s: float
) -> tuple[EmbeddedServer, int]:
    """Gives the running server and the file descriptor that counts this process as a user."""
    async with exclusive_lock(folder.gate, timeout_s=timeout_s + _STOP_ALLOWANCE_S) as gate:
        users = open_lock_file(folder.users)
        try:
            try_lock(users, shared=True)  # nobody holds it alone but inside the gate
            start = await run_in_thread(partial(_prepare, folder, settings, gate))
            process_id = await _start_or_join(start, users, timeout_s)
        except BaseException:
            os.close(users)
            raise
    return EmbeddedServer(folder.path, start.bin_dir, start.socket_dir, process_id), users


def _prepare(folder: DataFolder, settings: Mapping[str, str], gate: int) -> Start:
    bin_dir = choose_bin_dir(folder.account, folder.path)
    # One who runs with another TMPDIR may have started it.
    socket_dir = read_socket_dir(folder.cluster_dir)
    socket_dir = socket_dir or choose_socket_dir(folder.path, folder.account)
    open_socket_dir(socket_dir, folder.account)
    ensure_cluster(folder, bin_dir, gate, durable=settings.get("fsync", "on") == "on")
    return Start(folder, bin_dir, socket_dir, settings)


async def _start_or_join(start: Start, users: int, timeout_s: float) -> int:
    try:
        process_id = await bring_up(start, timeout_s=timeout_s)
        await ensure_database(start.socket_dir, DATABASE)
    except BaseException:
        await _stop_if_last(start.folder, start.bin_dir, users)
        raise
    return process_id


async def _leave(folder: DataFolder, bin_dir: Path, users: int) -> None:
    try:
        async with exclusive_lock(folder.gate, timeout_s=_STOP_ALLOWANCE_S):
            await _stop_if_last(folder, bin_dir, users)
    finally:
        os.close(users)


async def _stop_if_last(folder: DataFolder, bin_dir: Path, users: int) -> None:
    if try_lock(users):
        await run_in_thread(partial(stop, folder, bin_dir))
