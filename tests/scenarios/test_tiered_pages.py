"""How tiered fees read: on an invoice, in its explanation, and in that of a request."""

from typing import Any

from ledger.clock import FixedClock
from ledger.services.explaining.invoice_pages import (
    render_invoice_explanation,
    render_line_explanation,
)
from ledger.services.explaining.invoices import explain_invoice, explain_invoice_line
from ledger.services.explaining.request_pages import render_request
from ledger.services.explaining.requests import explain_request
from ledger.services.intake.writer import Writer
from ledger.services.invoice_text import render_invoice
from ledger.services.invoices import show_invoice
from ledger.store.database import Database
from tests.scenarios.explained_requests import tamper
from tests.scenarios.invoice_tables import run
from tests.scenarios.tiered_tables import charge, use

LIFETIME_PAGE = """\
Version 1: graduated, rates for tokens_1m, by lifetime
  month        tokens
  2025-09   2,500,000
  2025-10  16,000,000
  tokens from                    arithmetic              fee
  0            1,000,000 x 5.00 / 1,000,000   5.000000000000
  1,000,000    9,000,000 x 3.00 / 1,000,000  27.000000000000
  10,000,000   8,500,000 x 1.00 / 1,000,000   8.500000000000
Before the month, which is taken off:
  tokens from                    arithmetic             fee
  0            1,000,000 x 5.00 / 1,000,000  5.000000000000
  1,000,000    1,500,000 x 3.00 / 1,000,000  4.500000000000
  fee       all - before = 31.000000000000

  fee       31.000000000000        = 31.000000000000
  billed    by the invoices before =  0.000000000000
  due       fee - billed           = 31.000000000000

Every figure equals what is worked out here.
"""
VERSIONS_PAGE = """\
Version 1: package, packages of 60, rates for one package, by month
  month    seconds
  2025-10     90.5
  seconds from  arithmetic             fee
  0               1 x 0.25  0.250000000000
  60              1 x 0.20  0.200000000000

Version 2: volume, rates for minutes, by month
  month    seconds
  2025-10      180
  seconds from       arithmetic             fee
  120           180 x 0.02 / 60  0.060000000000

  fee       0.450000000000 + 0.060000000000 = 0.510000000000
  billed    by the invoices before          = 0.000000000000
  due       fee - billed                    = 0.510000000000
"""


async def test_a_lifetime_is_told_with_what_came_before(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """The months of use, the tiers of all of it, and those that earlier months had filled."""
    await charge(database, clock, "bolt", "forever", period="lifetime")
    await use(writer, "bolt", "2025-09-17T12:00:00Z", 2_500_000)
    await use(writer, "bolt", "2025-10-17T12:00:00Z", 16_000_000)
    await run(database, clock, "2025-10")
    page = render_line_explanation(await explain_invoice_line(database, "INV-000001", 4))
    assert page.startswith(
        "Invoice INV-000001 of bolt in USD, line 4 of 4\n"
        "tiered fee of the meter forever\n"
        "Service period from 2025-10-01 to before 2025-11-01, UTC\n"
    )
    assert "What it billed: the fee on all that was used up to the cut 1-" in page
    assert LIFETIME_PAGE in page
    assert max(map(len, page.splitlines())) <= 80
    whole = render_invoice_explanation(await explain_invoice(database, "INV-000001"))
    assert "      tiered fee of the meter forever, 2025-09\n" in whole


async def test_versions_are_told_one_by_one(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Packages by their number, minutes in seconds."""
    size = {"unit": "minutes", "kind": "package", "package_size": 60}
    tiers = [{"start": 0, "rate": "0.25"}, {"start": 60, "rate": "0.20"}]
    await charge(database, clock, "acme", "talk", **size, tiers=tiers)
    await use(writer, "acme", "2025-10-17T12:00:00Z", 0, "mixtral")
    audio: dict[str, Any] = {"model": "whisper-v3", "output_tokens": None}
    await use(writer, "acme", "2025-10-17T12:00:00Z", 0, input_seconds="90.5", **audio)
    tiers = [{"start": 0, "rate": "0.05"}, {"start": 120, "rate": "0.02"}]
    await charge(database, clock, "acme", "talk", unit="minutes", kind="volume", tiers=tiers)
    await use(writer, "acme", "2025-10-17T12:00:00Z", 0, input_seconds=180, **audio)
    await run(database, clock, "2025-10")
    invoice = await show_invoice(database, "INV-000001")
    ordinal = len(invoice["lines"])
    page = render_line_explanation(await explain_invoice_line(database, "INV-000001", ordinal))
    assert VERSIONS_PAGE in page


async def test_an_invoice_names_the_meter(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """In the place of a model, with amounts and no counts, and a word on what it is."""
    await charge(database, clock, "acme", "lava")
    await use(writer, "acme", "2025-10-17T12:00:00Z", 5_000_000)
    await run(database, clock, "2025-10")
    text = render_invoice(await show_invoice(database, "INV-000001"))
    assert (
        "tiered fee of the meter lava                                               17.00\n"
        "  fee 17.000000000000\n"
        "----------"
    ) in text
    assert "Lines of a meter are the fee on all that was used" in text


async def test_a_request_says_where_its_fee_is(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """It has none of its own, and every figure of it agrees."""
    await charge(database, clock, "acme", "lava")
    request_id = await use(writer, "acme", "2025-10-17T12:00:00Z", 5_000_000)
    explanation = await explain_request(database, request_id)
    assert explanation["agrees"]
    page = " ".join(render_request(explanation).split())
    assert "none of its own: the fee is on the month's whole use, by tiers" in page


async def test_a_fee_that_was_changed_is_told(
    database: Database, clock: FixedClock, writer: Writer, database_url: str
) -> None:
    """The line says another fee than its use comes to."""
    await charge(database, clock, "acme", "lava")
    await use(writer, "acme", "2025-10-17T12:00:00Z", 5_000_000)
    await run(database, clock, "2025-10")
    await tamper(
        database_url,
        "UPDATE invoice_line SET fee_pico = fee_pico + 1, exact_pico = exact_pico + 1 "
        "WHERE meter_slug IS NOT NULL",
    )
    explanation = await explain_invoice_line(database, "INV-000001", 2)
    assert not explanation["agrees"]
    assert {
        "field": "fee",
        "recorded": "17.000000000001",
        "computed": "17.000000000000",
    } in explanation["differences"]
    assert "WRONG" in render_line_explanation(explanation)
