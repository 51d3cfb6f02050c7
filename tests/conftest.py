"""Fixtures: one server for the session, a migrated template, a clone of it for each test."""

import asyncio
import gc
import itertools
import logging
import os
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import pytest
import uvicorn
from litestar import Litestar

from ledger.api.app import create_app
from ledger.bootstrap import Ledger
from ledger.cli.serve import server_config
from ledger.clock import FixedClock
from ledger.services.intake.writer import Writer
from ledger.services.rates import publish_shipped
from ledger.settings import Settings
from ledger.store import migrations
from ledger.store.database import Database
from ledger.store.migrations import migrate
from tests.servers import TESTS_AT_ONCE, test_server, with_database

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
# Every question is planned over all months, and to copy a database is to copy their files, so that most tests
# would wait for empty ones. Those that are about the months ahead make all of them: the fixture `all_months`.
MONTHS_BACK, MONTHS_AHEAD = 3, 1
# A client without one reads the list of this machine, which takes longer than most tests ask.
NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ADMIN_KEY = "an-admin-key-for-tests-0123456789abcdef"

_clones = itertools.count()


def pytest_xdist_auto_num_workers() -> int:
    """How many workers `-n auto` means."""
    return TESTS_AT_ONCE


def pytest_collection_finish() -> None:
    """Thousands of tests and all they import stay to the end: the collector need not look at them again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """A command that a test runs in this process may begin its log; the next test has none."""
    loggers = [
        logging.getLogger(name) for name in (None, "ledger", "apscheduler", "uvicorn", "httpx")
    ]
    before = [(each.level, each.handlers[:]) for each in loggers]
    yield
    for each, (level, handlers) in zip(loggers, before, strict=True):
        each.setLevel(level)
        each.handlers[:] = handlers


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> Iterator[None]:
    """What a shell without job control starts in the background ignores SIGINT, and so would its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The address of a server with a migrated template database in it.

    Held open by a loop of its own: each test runs in another one.
    """
    with asyncio.Runner() as runner:
        server = test_server()
        url = runner.run(server.__aenter__())
        try:
            runner.run(make_template(url))
            yield url
        finally:
            runner.run(server.__aexit__(None, None, None))


@pytest.fixture
def template(server_url: str) -> str:
    """The database that a fresh one is a copy of; a folder of tests may have another."""
    assert server_url
    return template_name()


@pytest.fixture
async def database_url(server_url: str, template: str) -> AsyncIterator[str]:
    """The address of a fresh database: migrated, shipped rates published, nothing else."""
    name = f"ledger_test_{os.getpid()}_{next(_clones)}"
    await copy_database(server_url, template, name)
    yield with_database(server_url, name)
    await execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def empty_url(server_url: str) -> AsyncIterator[str]:
    """The address of a database that has nothing in it, no schema either."""
    name = f"ledger_test_{os.getpid()}_{next(_clones)}"
    await execute(server_url, f"CREATE DATABASE {name}")
    yield with_database(server_url, name)
    await execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def all_months(database_url: str) -> str:
    """The address of the fresh database, once it has as many months ahead as the product makes."""
    await migrate(database_url, NOW.date())
    return database_url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open connection pool on a fresh database."""
    opened = Database(database_url)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at noon of 2026-11-20."""
    return FixedClock(NOW)


@pytest.fixture
async def writer(database: Database, clock: FixedClock) -> AsyncIterator[Writer]:
    """A writer at work on the fresh database."""
    started = Writer(database, clock)
    await started.start()
    yield started
    await started.close()


@pytest.fixture
async def api(database: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the admin key, talking over a socket to the application on the fresh database."""
    ledger = Ledger(Settings(database_url=database.url, data_dir=Path()), clock, database, ())
    async with serving(create_app(ledger, ADMIN_KEY)) as url:
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        async with httpx.AsyncClient(
            base_url=url, headers=headers, timeout=30, verify=NO_AUTHORITIES
        ) as client:
            yield client


@asynccontextmanager
async def serving(app: Litestar) -> AsyncIterator[str]:
    """Serve an application as the product does, on a free port of this machine, in this loop."""
    server = uvicorn.Server(server_config(app, metrics=app.state.metrics.http))
    # With the protocol named, asyncio sets TCP_NODELAY, as it does for the product's own listener.
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
            if task.done():
                await task
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await task


def template_name() -> str:
    return f"ledger_template_{os.getpid()}"


async def make_template(server_url: str) -> None:
    name = template_name()
    await execute(server_url, f"DROP DATABASE IF EXISTS {name}")
    await execute(server_url, f"CREATE DATABASE {name}")
    url = with_database(server_url, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MONTHS_BACK", MONTHS_BACK)
        patch.setattr(migrations, "MONTHS_AHEAD", MONTHS_AHEAD)
        await migrate(url, NOW.date())
    template = Database(url)
    await template.open()
    await publish_shipped(template, FixedClock(NOW), currency="USD")
    await template.close()


async def copy_database(server_url: str, template: str, name: str) -> None:
    """As files: to write what is copied to the log of changes as well takes longer."""
    await execute(server_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
        await asyncio.sleep(
            0
        )  # the loop may end with the test; the socket needs one more turn to close
