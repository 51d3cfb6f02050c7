"""Meters with tiers, and what the ledger says that they charge, for the scenarios of tiered fees."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

from ledger.clock import FixedClock
from ledger.core.adjustments import Adjustment
from ledger.core.cuts import parse_as_of
from ledger.core.instants import parse_instant_or_date
from ledger.core.reading import read_statement
from ledger.core.spend import spend_query
from ledger.core.statements import Statement
from ledger.core.usage.stated import StatedUsage
from ledger.services.adjustments import adjust_request
from ledger.services.customers import set_customer
from ledger.services.intake.outcomes import Verdict
from ledger.services.intake.writer import Writer
from ledger.services.limits import list_alerts
from ledger.services.meters import set_meter
from ledger.services.proof.rebuilding import rebuild
from ledger.services.proof.verification import verify
from ledger.services.spend import answer_spend, spend_body
from ledger.store.database import Database
from tests.conftest import NOW
from tests.scenarios.invoice_tables import MODELS

_ids = itertools.count()

# Lava's worked example: 5 USD for the first million tokens, 3 for the next nine, 1 from there on.
LAVA = {
    "kind": "graduated",
    "unit": "tokens_1m",
    "tiers": [
        {"start": 0, "rate": "5.00"},
        {"start": 1_000_000, "rate": "3.00"},
        {"start": 10_000_000, "rate": "1.00"},
    ],
}


async def charge(
    database: Database, clock: FixedClock, customers: str, slug: str, **terms: Any
) -> None:
    """Publish a meter, Lava's unless terms say otherwise, and give it to customers."""
    await set_meter(database, clock, "admin", slug, {**LAVA, **terms})
    for customer in customers.split():
        await set_customer(database, clock, "admin", customer, slug)


async def spend(
    database: Database,
    clock: FixedClock,
    span: str,
    by: Sequence[str] = (),
    as_of: str | None = None,
    **filters: Any,
) -> dict[str, Any]:
    """The answer for a span such as `2025-10-01 2025-11-01`."""
    start_at, end_at = map(parse_instant_or_date, span.split())
    question = spend_query(start_at, end_at, by, **filters)
    point = None if as_of is None else parse_as_of(as_of)
    return spend_body(await answer_spend(database, clock, question, point), "USD")


async def fees(database: Database, clock: FixedClock, as_of: str | None = None) -> dict[str, str]:
    """Every tiered fee that there is, `customer month meter` to its amount without trailing zeros."""
    answer = await spend(database, clock, "2020-01-01 2030-01-01", ["customer", "month"], as_of)
    return {
        f"{row['customer']} {row['month']} {row['meter']}": short(row["fee"])
        for row in answer["rows"]
        if "meter" in row
    }


def short(amount: str) -> str:
    """An amount without the zeros at its end."""
    return amount.rstrip("0").rstrip(".")


async def assert_whole(database: Database, clock: FixedClock) -> None:
    """Every check of `verify` holds, and a rebuild finds the very bytes that stand there."""
    report = await verify(database, clock)
    assert report["ok"], [check for check in report["checks"] if not check["ok"]]
    rebuilt = await rebuild(database, clock)
    assert all(each["identical"] for each in rebuilt["projections"]), rebuilt


async def use(
    writer: Writer, customer: str, at: str, tokens: int, model: str = "llama", **fields: Any
) -> str:
    """Take in one record of some output tokens; give its id."""
    request_id = f"req_tiered_{next(_ids)}"
    record = {
        "request_id": request_id,
        "customer_id": customer,
        "timestamp": at,
        "provider": "fireworks",
        "model": MODELS.get(model, model),
        "output_tokens": tokens,
    }
    read = read_statement(json.dumps(record | fields).encode(), NOW)
    assert isinstance(read, Statement), read
    (outcome,) = await writer.submit([read])
    assert outcome.verdict is Verdict.ACCEPTED, outcome
    return request_id


async def adjust(
    database: Database, clock: FixedClock, request_id: str, tokens: int | None = None
) -> None:
    """Correct the output tokens of a request, or void it."""
    stated = StatedUsage(output_tokens=tokens)
    kind = "void" if tokens is None else "correction"
    adjustment = Adjustment(kind, "counted wrongly", f"{kind} {request_id} {tokens}", stated)
    assert await adjust_request(database, clock, "test", request_id, adjustment)


async def alerts(database: Database) -> list[str]:
    """Every alert, as `limit threshold window spend`, in the order of these."""
    rows = await list_alerts(database, None, 100)
    return sorted(
        f"{row['limit_id']} {row['threshold']} {(row['window_start'] or 'ever')[:10]} {short(row['spend'])}"
        for row in rows
    )
