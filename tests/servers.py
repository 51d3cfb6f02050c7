"""A real PostgreSQL for the tests: the first that answers of three.

1. `LEDGER_TEST_DATABASE_URL`: a server whose user may create databases and roles.
2. testcontainers, where a Docker engine runs.
3. The embedded server, with fsync off and its files in memory: tests of durability start their own.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from ledger.store.embedded import embedded_server
from ledger.store.embedded.settings import read_memory_bytes

POSTGRES_IMAGE = "postgres:18-alpine"
# A database is a thousand small files, and every test copies one: on some disks that takes half a second.
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
# Many tests wait for processes of their own, so that a worker for each core would leave the cores idle.
# A server fills some 150 MB of memory, and each worker has one.
TESTS_AT_ONCE = (os.cpu_count() or 1) + 3
ROOM_WANTED_BYTES = 2**28 * TESTS_AT_ONCE
SETTINGS = {
    # All is thrown away in the end, and no test of this server ends it by force.
    "fsync": "off",
    "full_page_writes": "off",
    # What could begin in the middle of any test: a cleaning, a long checkpoint.
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    # Nobody reads the log of changes; the less of it, the less memory.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    # To remove a database is to look through all of it.
    "shared_buffers": "64MB",
}


@asynccontextmanager
async def test_server() -> AsyncIterator[str]:
    """Give the address of a server to make databases on."""
    if url := os.environ.get("LEDGER_TEST_DATABASE_URL"):
        yield url
    elif _docker_runs():
        with _container() as url:
            yield url
    else:
        with data_folder(memory_folder()) as folder:
            async with embedded_server(folder, settings=SETTINGS) as server:
                yield server.url("postgres")


@contextmanager
def data_folder(parent: Path | None = None) -> Iterator[Path]:
    """A folder for an embedded server. Open to entry: as root an unprivileged user runs the server."""
    folder = Path(tempfile.mkdtemp(prefix="ledger-test-", dir=parent))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def memory_folder() -> Path | None:
    """Where files stay in memory, if there is enough of it and programs may lie there; else None."""
    if not MEMORY_FOLDER.is_dir() or not os.access(MEMORY_FOLDER, os.W_OK):
        return None
    has_room = shutil.disk_usage(MEMORY_FOLDER).free >= ROOM_WANTED_BYTES
    has_memory = read_memory_bytes() >= 3 * ROOM_WANTED_BYTES
    # Root's server may need a copy of PostgreSQL's programs in its folder.
    runs_programs = not os.statvfs(MEMORY_FOLDER).f_flag & os.ST_NOEXEC
    return MEMORY_FOLDER if has_room and has_memory and runs_programs else None


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _docker_runs() -> bool:
    """Whether an engine answers, not only whether the client is installed."""
    if shutil.which("docker") is None:
        return False
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, timeout=10, check=False)
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0


@contextmanager
def _container() -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415

    with PostgresContainer(POSTGRES_IMAGE, driver=None) as postgres:
        yield postgres.get_connection_url()
