"""What the tests of the store share."""

import pytest

from ledger.clock import FixedClock
from ledger.core.instants import parse_month
from ledger.core.reading import read_statement
from ledger.core.statements import Refusal, Statement
from ledger.demo.sample import sample_lines
from ledger.services.customers import set_customer
from ledger.services.intake.writer import Writer
from ledger.services.invoices import run_invoices
from ledger.services.limits import LimitRequest, set_limit
from ledger.services.meters import set_meter
from ledger.store.database import Database

ACME_TOTAL = LimitRequest("acme", "1.00", window="total", limit_id="acme-total")
ACME_MONTH = LimitRequest("acme", "1.00", window="month", limit_id="acme-month")


@pytest.fixture
async def ledger(database: Database, clock: FixedClock, writer: Writer, database_url: str) -> str:
    """The bundled sample with a meter, limits, alerts and the invoices of April and May; its address."""
    await set_meter(database, clock, "test", "ten", "10")
    await set_customer(database, clock, "test", "acme", "ten")
    records = [read_statement(line.rstrip(), clock.now()) for line in sample_lines()]
    statements = [record for record in records if isinstance(record, Statement)]
    assert any(isinstance(record, Refusal) for record in records)
    await set_limit(database, clock, "test", ACME_MONTH)
    middle = len(statements) // 2
    await writer.submit(statements[:middle])
    await set_limit(database, clock, "test", ACME_TOTAL)
    await writer.submit(statements[middle:])
    for month in ("2026-04", "2026-05"):
        await run_invoices(database, clock, "test", parse_month(month), currency="USD")
    return database_url
