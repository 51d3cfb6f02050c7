"""What follows a re-rating: invoices, the past, explanations."""

from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.core.cuts import parse_as_of
from ledger.core.instants import parse_instant_or_date
from ledger.core.spend import spend_query
from ledger.services.explaining.request_pages import render_request
from ledger.services.explaining.requests import explain_request
from ledger.services.intake.writer import Writer
from ledger.services.spend import answer_spend, spend_body
from ledger.store.database import Database
from tests.scenarios.explained_requests import WORKED, take
from tests.scenarios.invoice_tables import (
    all_invoices,
    assert_table,
    record,
    run,
    scalar,
)
from tests.scenarios.rerating_tables import OCTOBER, assert_sound, publish, rerated


@pytest.fixture(autouse=True)
async def everything_still_adds_up(database: Database, clock: FixedClock) -> Any:
    """After every test the whole ledger is verified, and a rebuild changes nothing."""
    yield
    await assert_sound(database, clock)


async def test_the_next_invoice_settles_the_difference(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """October is invoiced when a table arrives that was in force in it.

    | invoice | service period | llama | why                        |
    | 1       | October        | 9.00  | 10M tokens at 0.90         |
    | 2       | October        | 1.00  | 10M tokens at 0.10 more    |
    |         | November       | 2.00  | 2M tokens at 1.00          |
    """
    await record(writer, "customer on model input\nacme 2026-10-05 llama 10000000")
    await run(database, clock, "2026-10")
    await publish(database, clock, "dearer", llama="1.00")
    await rerated(database, clock)
    await record(writer, "customer on model input\nacme 2026-11-03 llama 2000000")
    clock.instant = parse_instant_or_date("2026-12-02")
    await run(database, clock, "2026-11")

    lines = [
        {"number": invoice["number"], **line}
        for invoice in await all_invoices(database)
        for line in invoice["lines"]
    ]
    assert_table(
        lines,
        """
        number     period_start amount
        INV-000001 2026-10-01   9.00
        INV-000002 2026-10-01   1.00
        INV-000002 2026-11-01   2.00
        """,
    )
    again = await run(database, clock, "2026-11")
    assert again["issued"] == 0


async def test_the_past_is_answered_as_it_was(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """An `as_of` from before gives the figures from before."""
    await record(
        writer, "customer on model input\nacme 2026-10-05 llama 10\nbeta 2026-10-05 mystery 10"
    )
    await publish(database, clock, "dearer", llama="1.80", mystery="2")
    start_at, end_at = map(parse_instant_or_date, OCTOBER)
    question = spend_query(start_at, end_at, ("customer", "model"))
    before = spend_body(await answer_spend(database, clock, question), "USD")
    await rerated(database, clock)
    now = spend_body(await answer_spend(database, clock, question), "USD")
    then = await answer_spend(database, clock, question, parse_as_of(before["as_of"]))

    assert spend_body(then, "USD") == before
    assert now["rows"] != before["rows"]


async def test_an_explanation_tells_who_re_rated_and_from_which_table(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Both revisions name the decision, and the new one both tables; the arithmetic is the new one's."""
    await take(writer, timestamp="2026-10-05T00:00:00Z")
    await publish(database, clock, "dearer", llama="1.80")
    await rerated(database, clock, customer_ids=["acme"])

    explained = await explain_request(database, WORKED)
    page = render_request(explained)

    assert explained["agrees"], page
    assert [each["rerated"] for each in explained["revisions"]] == [
        None,
        {"job": "rerate", "from": "fireworks 2026-05-12", "to": None},
        {"job": "rerate", "from": "fireworks 2026-05-12", "to": "fireworks dearer"},
    ]
    assert page.count("  decided   by cli: new price list\n") == 2
    assert "  re-rated  from fireworks 2026-05-12 to fireworks dearer\n" in page
    assert "845 x 1.80 / 1,000,000 = 0.001521000000" in page
    decision = await scalar(
        database, "SELECT body::text FROM ledger_event WHERE kind = 'usage_rerated'"
    )
    assert '"customer_id": "acme"' in decision
    assert '"rate_versions": ["fireworks/dearer"]' in decision
