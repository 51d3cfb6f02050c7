"""What the tests of the store share."""

import pytest

from ledger.clock import FixedClock
from ledger.services.intake.writer import Writer
from ledger.store.database import Database
from tests.store.rebuild_damage import make_ledger


@pytest.fixture
async def ledger(database: Database, clock: FixedClock, writer: Writer, database_url: str) -> str:
    """The address of a ledger with meters, limits of each kind, alerts and the invoices of two months."""
    await make_ledger(database, clock, writer)
    return database_url
