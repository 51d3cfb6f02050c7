"""A real PostgreSQL for the tests: the first that answers of three.

1. `LEDGER_TEST_DATABASE_URL`: a server whose user may create databases and roles.
2. testcontainers, where a Docker engine runs.
3. The embedded server, with fsync off: tests of durability start their own.
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

POSTGRES_IMAGE = "postgres:18-alpine"


@asynccontextmanager
async def test_server() -> AsyncIterator[str]:
    """Give the address of a server to make databases on."""
    if url := os.environ.get("LEDGER_TEST_DATABASE_URL"):
        yield url
    elif _docker_runs():
        with _container() as url:
            yield url
    else:
        with data_folder() as folder:
            async with embedded_server(folder, settings={"fsync": "off"}) as server:
                yield server.url("postgres")


@contextmanager
def data_folder() -> Iterator[Path]:
    """A folder for an embedded server. Open to entry: as root an unprivileged user runs the server."""
    folder = Path(tempfile.mkdtemp(prefix="ledger-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
