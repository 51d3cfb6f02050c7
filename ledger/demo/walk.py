"""The main job over the bundled records, step by step, as `ledger demo` shows it.

Its clock is set, not read: limits are decided on 1 April 2026, records arrive and invoices are issued on
1 June, so that every run shows the same.
"""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from ledger.bootstrap import Ledger
from ledger.clock import FixedClock
from ledger.core.instants import parse_month
from ledger.core.keys import Sender
from ledger.core.spend import spend_query
from ledger.demo.sample import sample_lines
from ledger.services.customers import set_customer
from ledger.services.explaining.invoices import explain_invoice_line
from ledger.services.explaining.requests import explain_request
from ledger.services.exporting import export_files
from ledger.services.intake.outcomes import Counters
from ledger.services.invoice_text import render_invoice
from ledger.services.invoices import run_invoices, show_invoice
from ledger.services.limits import LimitRequest, list_alerts, set_limit
from ledger.services.meters import set_meter
from ledger.services.proof.verification import verify
from ledger.services.spend import answer_spend, spend_body

DECIDED_AT = datetime(2026, 4, 1, tzinfo=UTC)
RECORDED_AT = datetime(2026, 6, 1, 6, tzinfo=UTC)
START, END = DECIDED_AT, datetime(2026, 6, 1, tzinfo=UTC)
MONTHS = ("2026-04", "2026-05")
CUSTOMER, BYOK_CUSTOMER = "acme", "stark"
ACTOR = "demo"


class Walk(msgspec.Struct):
    """What the demo has to show."""

    counters: Counters
    spend: dict[str, Any]
    explanation: dict[str, Any]
    alerts: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    invoice: str
    manifest: dict[str, Any]
    verified: dict[str, Any]


async def walk(
    ledger: Ledger, clock: FixedClock, output: Path, tell: Callable[[str], None]
) -> Walk:
    """Decide, take the records in, ask, invoice, export and verify; `tell` hears of each step."""
    await _decide(ledger, clock)
    clock.instant = RECORDED_AT
    database, currency = ledger.database, ledger.settings.currency
    tell("taking in the records of two months")
    async with ledger.intake() as intake:
        counters = await intake.take_lines(_as_stream(), "identity", Sender(ACTOR))
    answer = await answer_spend(database, clock, spend_query(START, END, ("model",)))
    tell("issuing invoices")
    runs = [
        await run_invoices(database, clock, ACTOR, parse_month(month), currency=currency)
        for month in MONTHS
    ]
    number = next(head["number"] for head in runs[0]["invoices"] if head["customer_id"] == CUSTOMER)
    tell("writing CSV files")
    manifest = await export_files(
        database, clock, ("usage", "invoices"), START, END, output, currency=currency
    )
    tell("verifying every figure")
    return Walk(
        counters=counters,
        spend=spend_body(answer, currency),
        explanation=await _explained(ledger, number),
        alerts=await list_alerts(database, None, 10),
        runs=runs,
        invoice=render_invoice(await show_invoice(database, number)),
        manifest=manifest,
        verified=await verify(database, clock),
    )


async def _explained(ledger: Ledger, number: str) -> dict[str, Any]:
    """The arithmetic of the first request on an invoice."""
    line = await explain_invoice_line(ledger.database, number, 1, most_records=1)
    return await explain_request(ledger.database, line["records"][0]["request_id"], CUSTOMER)


async def _decide(ledger: Ledger, clock: FixedClock) -> None:
    clock.instant = DECIDED_AT
    await set_meter(ledger.database, clock, ACTOR, "standard", {"percentage": "10"})
    for customer_id in (CUSTOMER, BYOK_CUSTOMER):
        await set_customer(ledger.database, clock, ACTOR, customer_id, "standard")
    limit = LimitRequest(customer_id=CUSTOMER, amount="100.00", thresholds=("0.8", "1"))
    await set_limit(ledger.database, clock, ACTOR, limit)


async def _as_stream() -> AsyncIterator[bytes]:
    for line in sample_lines():
        yield line
