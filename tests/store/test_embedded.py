import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

from ledger.store.embedded import (
    EmbeddedServer,
    EmbeddedServerError,
    binaries,
    embedded_server,
    find_binary,
)
from ledger.store.embedded.account import Account, choose_account
from ledger.store.embedded.data_folder import open_data_folder
from ledger.store.embedded.postmaster import find_process_id, is_server
from ledger.store.embedded.settings import (
    choose_shared_buffers_mb,
    is_syncfs_sound,
    render_settings,
)
from ledger.store.embedded.socket_folder import choose_socket_dir

FAST = {"fsync": "off", "shared_buffers": "16MB"}
REPOSITORY = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
PATIENCE_S = 60

# Enters, tells the server's process id, and leaves when its standard input says so.
CLIENT = f"""
import asyncio, sys
from pathlib import Path
from ledger.store.embedded import embedded_server

async def main():
    async with embedded_server(Path(sys.argv[1]), settings={FAST!r}) as server:
        print(server.process_id, flush=True)
        loop = asyncio.get_running_loop()
        gone = loop.create_future()
        loop.add_reader(sys.stdin, gone.set_result, None)
        await gone

asyncio.run(main())
"""


class Client:
    """Another process that uses the server of a data folder."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def read_server_id(self) -> int:
        """Waits until it is in, and gives the process id of the server it found."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            return int(await self.process.stdout.readline())

    async def leave(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.process.communicate(b"\n")
        assert self.process.returncode == 0

    async def send(self, signal_number: int) -> None:
        """Sends a signal to it and all of its process group, as a terminal does."""
        os.killpg(self.process.pid, signal_number)
        async with asyncio.timeout(PATIENCE_S):
            await self.process.communicate()


@asynccontextmanager
async def started_client(data_dir: Path) -> AsyncIterator[Client]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", CLIENT, data_dir),
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield Client(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # pytest's own temporary folders are closed to the user who runs the server for root, and a
    # short path keeps the socket in the data folder.
    folder = Path(tempfile.mkdtemp(prefix="ledger-test-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    left_behind = find_process_id(folder / "postgres")
    if left_behind is not None:
        os.kill(left_behind, signal.SIGQUIT)
    shutil.rmtree(folder, ignore_errors=True)


async def fetch(server: EmbeddedServer, query: str) -> object:
    connection = await asyncpg.connect(server.url())
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def execute(server: EmbeddedServer, query: str) -> None:
    await fetch(server, query)


def server_account(data_dir: Path) -> Account:
    return choose_account(data_dir, data_dir / "postgres")


async def test_one_process_starts_answers_and_stops(data_dir: Path) -> None:
    """A fresh data folder gives a durable UTF-8 database, kept from one start to the next."""
    async with embedded_server(data_dir, settings={"shared_buffers": "16MB"}) as server:
        assert (
            await fetch(server, "SELECT current_setting('server_version_num')::int / 10000") == 18
        )
        for name, value in {
            "fsync": "on",
            "synchronous_commit": "on",
            "data_checksums": "on",
            "server_encoding": "UTF8",
            "TimeZone": "UTC",
            "listen_addresses": "",
            "jit": "off",
            "shared_buffers": "16MB",
        }.items():
            assert await fetch(server, f"SELECT current_setting('{name}')") == value
        locale = "SELECT datlocale FROM pg_database WHERE datname = 'ledger'"
        assert await fetch(server, locale) == "C.UTF-8"
        await execute(server, "CREATE TABLE kept AS SELECT 42 AS value")
    assert not is_server(server.process_id, data_dir / "postgres")
    async with embedded_server(data_dir, settings=FAST) as server:
        assert await fetch(server, "SELECT value FROM kept") == 42
        assert await fetch(server, "SHOW fsync") == "off"


async def test_programs_reach_the_server_by_its_url(data_dir: Path) -> None:
    """`psql` beside the server understands its URL, whatever PG* variables are around."""
    async with embedded_server(data_dir, settings=FAST) as server:
        assert (server.bin_dir / "pg_dump").is_file()
        psql = await asyncio.create_subprocess_exec(
            server.bin_dir / "psql",
            *("-Atc", "SELECT current_database()", server.url()),
            env={"PGPORT": "99", "PGHOST": "elsewhere", "PGSSLMODE": "verify-full"},
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await psql.communicate()
        assert output == b"ledger\n"


async def test_last_to_leave_stops_the_server(data_dir: Path) -> None:
    """Two processes share one server; it outlives the first to leave and ends with the last."""
    async with started_client(data_dir) as first, started_client(data_dir) as second:
        # Both start at once, on a folder where nothing is.
        process_id = await first.read_server_id()
        assert await second.read_server_id() == process_id
        await first.leave()
        assert is_server(process_id, data_dir / "postgres")
        await second.leave()
        assert not is_server(process_id, data_dir / "postgres")


async def test_two_users_in_one_process(data_dir: Path) -> None:
    """Users within a process count one by one."""
    async with embedded_server(data_dir, settings=FAST) as outer:
        async with embedded_server(data_dir) as inner:
            assert inner.process_id == outer.process_id
        assert await fetch(outer, "SELECT 1") == 1


async def test_killed_client_does_not_count(data_dir: Path) -> None:
    """A client killed by -9 leaves its server to go on; the next to leave stops it."""
    async with started_client(data_dir) as client:
        process_id = await client.read_server_id()
        await client.send(signal.SIGKILL)
    assert is_server(process_id, data_dir / "postgres")
    async with embedded_server(data_dir) as server:
        assert server.process_id == process_id
    assert not is_server(process_id, data_dir / "postgres")


async def test_interrupt_from_the_terminal_spares_the_server(data_dir: Path) -> None:
    """Ctrl-C ends the process that started the server, not the server that others still use."""
    async with started_client(data_dir) as starter:
        process_id = await starter.read_server_id()
        async with embedded_server(data_dir) as server:
            await starter.send(signal.SIGINT)
            assert server.process_id == process_id
            assert await fetch(server, "SELECT 1") == 1


async def test_killed_server_recovers(data_dir: Path) -> None:
    """After kill -9 of the server, even with a query still at work, committed data are back."""
    async with embedded_server(data_dir, settings={"shared_buffers": "16MB"}) as broken:
        await execute(broken, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS value")
        busy = asyncio.create_task(
            execute(broken, "SELECT count(*) FROM generate_series(1, 10000000)")
        )
        await asyncio.sleep(0.2)
        os.kill(broken.process_id, signal.SIGKILL)
        async with embedded_server(data_dir, settings=FAST) as server:
            assert server.process_id != broken.process_id
            assert await fetch(server, "SELECT sum(value) FROM kept") == 500_500
        with suppress(asyncpg.PostgresError, OSError):
            await busy


@pytest.mark.parametrize("content", ["of another process", "empty"])
async def test_stale_pid_file_is_not_believed(data_dir: Path, content: str) -> None:
    """A pid file that names a live process which is no server of ours does not stop a start."""
    async with embedded_server(data_dir, settings=FAST) as server:
        pid_file = data_dir / "postgres" / "postmaster.pid"
        socket_lock = server.socket_dir / ".s.PGSQL.5432.lock"
        text = pid_file.read_text()
    account = server_account(data_dir)
    stranger = await asyncio.create_subprocess_exec(
        *("sleep", "60"),
        user=account.user_id if IS_ROOT else None,
        group=account.group_id if IS_ROOT else None,
    )
    try:
        stale = text.replace(str(server.process_id), str(stranger.pid), 1)
        for path in (pid_file, socket_lock):
            path.write_text("" if content == "empty" else stale)
            path.chmod(0o600)
            if IS_ROOT:
                os.chown(path, account.user_id, account.group_id)
        async with embedded_server(data_dir, settings=FAST) as server:
            assert await fetch(server, "SELECT 1") == 1
        assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()


@pytest.mark.parametrize("name", ["with space/Zähler 計", 'quote\'s "$(x)" \\ comma,', "long" * 40])
async def test_any_path_will_do(data_dir: Path, name: str) -> None:
    """The data folder's path may be long, spaced, quoted or written in any script."""
    async with embedded_server(data_dir / name, settings=FAST) as server:
        assert await fetch(server, "SELECT 1") == 1
        assert server.socket_dir.stat().st_mode & 0o777 == 0o700
        assert (data_dir / name / "postgres" / "PG_VERSION").is_file()
    if not server.socket_dir.is_relative_to(data_dir):
        server.socket_dir.rmdir()


async def test_loose_socket_folder_is_refused(data_dir: Path) -> None:
    """A socket folder that others can enter is refused, and nothing is started in it."""
    (data_dir / "run").mkdir()
    (data_dir / "run").chmod(0o777)
    with pytest.raises(EmbeddedServerError, match="can be entered by others"):
        await embedded_server(data_dir, settings=FAST).__aenter__()
    assert not (data_dir / "postgres").exists()


@pytest.mark.skipif(not IS_ROOT, reason="only root can make another user's folder")
async def test_foreign_socket_folder_is_refused(data_dir: Path) -> None:
    """A socket folder that belongs to another user is refused."""
    (data_dir / "run").mkdir(mode=0o700)
    os.chown(data_dir / "run", 54321, 54321)
    with pytest.raises(EmbeddedServerError, match="belongs to user id 54321"):
        await embedded_server(data_dir, settings=FAST).__aenter__()


@pytest.mark.skipif(not IS_ROOT, reason="only root hands the server to another user")
async def test_closed_parent_folder_is_named(data_dir: Path) -> None:
    """A folder closed to the server's user is named in the message, and its mode left alone."""
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(EmbeddedServerError, match=f"cannot enter {closed}\\."):
        await embedded_server(closed / "data", settings=FAST).__aenter__()
    assert closed.stat().st_mode & 0o777 == 0o700


async def test_unreachable_programs_are_copied(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the server's user cannot run the installed PostgreSQL, a complete copy serves."""
    installed = find_binary("postgres")
    really_can_run = binaries.can_run

    def can_run(account: Account, binary: Path) -> bool:
        return binary != installed and really_can_run(account, binary)

    monkeypatch.setattr(binaries, "can_run", can_run)
    async with embedded_server(data_dir, settings=FAST) as server:
        assert server.bin_dir.is_relative_to(data_dir / "postgresql-18.4")
        libraries = "SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'"
        assert str(await fetch(server, libraries)).startswith(f"{data_dir}/")


async def test_failed_start_shows_the_log(data_dir: Path) -> None:
    """A server that ends as it starts is reported with what it said."""
    with pytest.raises(EmbeddedServerError, match='"max_connections": "many"'):
        await embedded_server(data_dir, settings={"max_connections": "many"}).__aenter__()


async def test_start_that_is_given_up_leaves_nothing(data_dir: Path) -> None:
    """A server that does not answer in time is not left running, and the next start works."""
    with pytest.raises(EmbeddedServerError, match=r"did not answer within 0\.02 s"):
        await embedded_server(data_dir, settings=FAST, startup_timeout_s=0.02).__aenter__()
    assert find_process_id(data_dir / "postgres") is None
    async with embedded_server(data_dir, settings=FAST) as server:
        assert await fetch(server, "SELECT 1") == 1


def test_shared_buffers_follow_the_memory() -> None:
    """An eighth of the memory, never more than 256 MiB nor less than 16."""
    gibibyte = 1024**3
    assert choose_shared_buffers_mb(64 * gibibyte) == 256
    assert choose_shared_buffers_mb(gibibyte) == 128
    assert choose_shared_buffers_mb(gibibyte // 64) == 16


async def test_recovery_need_not_force_every_file_alone(data_dir: Path) -> None:
    """With thousands of files that is seconds after every crash."""
    method = "syncfs" if is_syncfs_sound(os.uname()) else "fsync"
    async with embedded_server(data_dir, settings=FAST) as server:
        assert await fetch(server, "SHOW recovery_init_sync_method") == method


@pytest.mark.parametrize(
    ("system", "release", "is_sound"),
    [
        ("Linux", "6.1.0-18-amd64", True),
        ("Linux", "5.8", True),
        ("Linux", "4.18.0-553.el8", False),
        ("Linux", "rolling", False),
        ("Darwin", "23.5.0", False),
    ],
)
def test_syncfs_is_used_where_it_tells_what_failed(
    system: str, release: str, *, is_sound: bool
) -> None:
    """Linux before 5.8 forgets errors; other systems have no such call."""
    assert is_syncfs_sound(os.uname_result((system, "host", release, "", ""))) is is_sound


def test_new_folders_are_open_to_the_servers_user_whatever_the_umask(data_dir: Path) -> None:
    """As root those above the data folder too, where they are new; others keep their modes."""
    before = os.umask(0o077)
    try:
        open_data_folder(data_dir / "new" / "newer")
    finally:
        os.umask(before)

    wanted = 0o711 if os.geteuid() == 0 else 0o700
    for folder in (data_dir / "new" / "newer", data_dir / "new"):
        assert folder.stat().st_mode & 0o777 == wanted
    assert data_dir.stat().st_mode & 0o777 == 0o711


def test_a_long_temporary_folder_gives_way_to_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket's path has at most a hundred bytes."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / ("long" * 40)))

    chosen = choose_socket_dir(tmp_path / ("data" * 40), Account(os.geteuid(), os.getegid()))

    assert chosen.parent == Path("/tmp")  # noqa: S108 - the system's, not ours


def test_without_a_folder_for_shared_memory_the_other_kind_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """PostgreSQL's default is POSIX shared memory, which is files in /dev/shm on Linux."""
    bin_dir = find_binary("postgres").parent
    monkeypatch.setattr("ledger.store.embedded.settings._SHARED_MEMORY", tmp_path)
    assert b"dynamic_shared_memory_type" not in render_settings(tmp_path, bin_dir, {})

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("ledger.store.embedded.settings._SHARED_MEMORY", tmp_path / "none")

    assert b"dynamic_shared_memory_type = 'sysv'" in render_settings(tmp_path, bin_dir, {})
