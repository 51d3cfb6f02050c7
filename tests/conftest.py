"""Fixtures: one server for the session, a migrated template, a clone of it for each test."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from ledger.clock import FixedClock
from ledger.services.intake.writer import Writer
from ledger.services.rates import publish_shipped
from ledger.store.database import Database
from ledger.store.migrations import migrate
from tests.servers import test_server

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

_clones = itertools.count()


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The address of a server with a migrated template database in it.

    Held open by a loop of its own: each test runs in another one.
    """
    with asyncio.Runner() as runner:
        server = test_server()
        url = runner.run(server.__aenter__())
        try:
            runner.run(_make_template(url))
            yield url
        finally:
            runner.run(server.__aexit__(None, None, None))


@pytest.fixture
async def database_url(server_url: str) -> AsyncIterator[str]:
    """The address of a fresh database: migrated, shipped rates published, nothing else."""
    name = f"ledger_test_{os.getpid()}_{next(_clones)}"
    await _execute(server_url, f"CREATE DATABASE {name} TEMPLATE {_template_name()}")
    yield with_database(server_url, name)
    await _execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


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


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _template_name() -> str:
    return f"ledger_template_{os.getpid()}"


async def _make_template(server_url: str) -> None:
    name = _template_name()
    await _execute(server_url, f"DROP DATABASE IF EXISTS {name}")
    await _execute(server_url, f"CREATE DATABASE {name}")
    url = with_database(server_url, name)
    await migrate(url, NOW.date())
    template = Database(url)
    await template.open()
    await publish_shipped(template, FixedClock(NOW), currency="USD")
    await template.close()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
