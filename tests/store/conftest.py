"""What the tests of the store share."""

import asyncio

import pytest

from ledger.clock import FixedClock
from ledger.services.intake.writer import Writer
from ledger.store.database import Database
from tests.conftest import NOW, copy_database, template_name
from tests.servers import with_database
from tests.store.rebuild_damage import make_ledger


@pytest.fixture(scope="session")
def ledger_template(server_url: str) -> str:
    """The name of a database with everything in it, made once: to copy it takes a twentieth of the time."""
    name = f"{template_name()}_ledger"
    asyncio.run(_make_template(server_url, name))
    return name


@pytest.fixture
def template(request: pytest.FixtureRequest, template: str) -> str:
    """What a fresh database is a copy of: of the ledger for the tests that ask for it."""
    if "ledger" not in request.fixturenames:
        return template
    name: str = request.getfixturevalue("ledger_template")
    return name


@pytest.fixture
def ledger(writer: Writer, database_url: str) -> str:
    """The address of a ledger with meters, limits of each kind, alerts and the invoices of two months."""
    assert writer
    return database_url


async def _make_template(server_url: str, name: str) -> None:
    await copy_database(server_url, template_name(), name)
    database, clock = Database(with_database(server_url, name)), FixedClock(NOW)
    await database.open()
    writer = Writer(database, clock)
    await writer.start()
    await make_ledger(database, clock, writer)
    await writer.close()
    await database.close()
