"""What was changed behind the ledger's back does not explain itself, and the explanation says so."""

import pytest

from ledger.clock import FixedClock
from ledger.services.explaining.invoice_pages import (
    render_invoice_explanation,
    render_line_explanation,
)
from ledger.services.explaining.invoices import explain_invoice, explain_invoice_line
from ledger.services.explaining.request_pages import render_request
from ledger.services.explaining.requests import explain_request
from ledger.services.intake.writer import Writer
from ledger.store.database import Database
from tests.scenarios.explained_requests import WORKED, take, tamper, void
from tests.scenarios.invoice_tables import run


async def test_a_changed_amount_does_not_agree(
    database: Database, clock: FixedClock, writer: Writer, database_url: str
) -> None:
    """The revision, its reversal and the line say so, each with both figures."""
    await take(writer, input_tokens=10**6)
    await run(database, clock, "2025-10")
    await void(database, clock)
    assert (await explain_request(database, WORKED))["agrees"]
    await tamper(
        database_url, "UPDATE usage_event SET output_pico = output_pico + 1 WHERE revision = 1"
    )

    explained = await explain_request(database, WORKED)

    usage, reversal = explained["revisions"]
    assert usage["differences"] == [
        {"figure": "output_tokens", "recorded": "0.000370800001", "computed": "0.000370800000"}
    ]
    assert reversal["differences"] == [
        {"figure": "output_tokens", "recorded": "-0.000370800000", "computed": "-0.000370800001"}
    ]
    assert not explained["agrees"]
    page = render_request(explained)
    assert "  WRONG     output_tokens: recorded 0.000370800001, worked out 0.000370800000\n" in page
    assert page.endswith("\nNOT EVERY RECORDED AMOUNT EQUALS WHAT IS WORKED OUT HERE: see WRONG.\n")
    line = await explain_invoice_line(database, "INV-000001", 1)
    assert line["agrees"] is False
    assert (line["sums"]["cost"], line["cost"]) == ("0.900370800001", "0.900370800000")
    assert "NOT EVERY FIGURE EQUALS" in render_line_explanation(line)


@pytest.mark.parametrize(
    ("change", "figures"),
    [
        ("UPDATE usage_event SET fee_pico = 7", ["fee"]),
        ("UPDATE usage_event SET output_tokens = -400 WHERE revision = 2", ["output_tokens"]),
        (
            "UPDATE usage_event SET unrated = 1 WHERE revision = 1",
            ["input_tokens", "fee", "unrated"],
        ),
        (
            "UPDATE rate_table SET content = replace(content, '0.90', '0.80')",
            ["rate table fingerprint"],
        ),
        ("UPDATE dimension SET model = 'mystery'", ["input_tokens", "output_tokens", "fee"]),
    ],
)
async def test_whatever_was_changed_shows(
    database: Database,
    clock: FixedClock,
    writer: Writer,
    database_url: str,
    change: str,
    figures: list[str],
) -> None:
    """A fee, a quantity, a flag, a price, a model: each is named."""
    await take(writer)
    await void(database, clock)
    await tamper(database_url, change)

    explained = await explain_request(database, WORKED)

    found = {
        each["figure"] for revision in explained["revisions"] for each in revision["differences"]
    }
    assert not explained["agrees"]
    assert set(figures) <= found
    assert "WRONG" in render_request(explained)


async def test_a_changed_invoice_does_not_agree(
    database: Database, clock: FixedClock, writer: Writer, database_url: str
) -> None:
    """A share that is not the line's own is found without looking at records."""
    await take(writer, input_tokens=10**6)
    await run(database, clock, "2025-10")
    assert (await explain_invoice(database, "INV-000001"))["agrees"]
    await tamper(database_url, "UPDATE invoice_line SET amount = 9.99")

    explained = await explain_invoice(database, "INV-000001")

    assert explained["agrees"] is False
    assert (explained["lines"][0]["amount"], explained["lines"][0]["share"]["amount"]) == (
        "9.99",
        "0.90",
    )
    assert "NOT EVERY FIGURE EQUALS" in render_invoice_explanation(explained)
