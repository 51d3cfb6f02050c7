"""The main job over the bundled records, step by step, as `ledger demo` shows it.

Its clock is set, not read: limits are decided on 1 April 2026, records arrive and invoices are issued on
1 June, so that every run shows the same.
"""

from collections.abc import AsyncIterator
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
CUSTOMER, BYOK_CUSTOMER = "acme", "stark"
ACTOR = "demo"


class Walk(msgspec.Struct):
    """What the demo has to show."""

    counters: Counters
    spend: dict[str, Any]
    alerts: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    invoice: str
    manifest: dict[str, Any]
    verified: dict[str, Any]


async def walk(ledger: Ledger, clock: FixedClock, output: Path) -> Walk:
    """Decide, take the records in, ask, invoice, export and verify."""
    await _decide(ledger, clock)
    clock.instant = RECORDED_AT
    async with ledger.intake() as intake:
        counters = await intake.take_lines(_as_stream(), "identity", Sender(ACTOR))
    answer = await answer_spend(ledger.database, clock, spend_query(START, END, ("model",)))
    runs = [
        await run_invoices(
            ledger.database, clock, ACTOR, parse_month(month), currency=ledger.settings.currency
        )
        for month in ("2026-04", "2026-05")
    ]
    number = next(head["number"] for head in runs[0]["invoices"] if head["customer_id"] == CUSTOMER)
    return Walk(
        counters=counters,
        spend=spend_body(answer, ledger.settings.currency),
        alerts=await list_alerts(ledger.database, None, 10),
        runs=runs,
        invoice=render_invoice(await show_invoice(ledger.database, number)),
        manifest=await export_files(
            ledger.database,
            clock,
            ("usage", "invoices"),
            START,
            END,
            output,
            currency=ledger.settings.currency,
        ),
        verified=await verify(ledger.database, clock),
    )


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
