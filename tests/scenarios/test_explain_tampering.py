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

DIFFERS = "NOT EVERY FIGURE EQUALS WHAT IS WORKED OUT HERE: see WRONG.\n"


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
        {
            "field": "amount of output_tokens",
            "recorded": "0.000370800001",
            "computed": "0.000370800000",
        }
    ]
    assert reversal["differences"] == [
        {
            "field": "amount of output_tokens",
            "recorded": "-0.000370800000",
            "computed": "-0.000370800001",
        }
    ]
    assert not explained["agrees"]
    page = render_request(explained)
    assert (
        "  WRONG     amount of output_tokens: recorded 0.000370800001, worked out\n"
        "            0.000370800000\n"
    ) in page
    assert page.endswith("\nNOT EVERY RECORDED AMOUNT EQUALS WHAT IS WORKED OUT HERE: see WRONG.\n")
    line = await explain_invoice_line(database, "INV-000001", 1)
    assert line["agrees"] is False
    assert (line["sums"]["cost"], line["cost"]) == ("0.900370800001", "0.900370800000")
    assert line["differences"] == [
        {"field": "cost", "recorded": "0.900370800000", "computed": "0.900370800001"},
        {"field": "exact", "recorded": "0.900370800000", "computed": "0.900370800001"},
    ]
    assert render_line_explanation(line).endswith(
        "\n\n"
        "  WRONG     cost: the line says 0.900370800000, its records 0.900370800001\n"
        "  WRONG     exact: the line says 0.900370800000, its records 0.900370800001\n"
        f"{DIFFERS}"
    )


@pytest.mark.parametrize(
    ("change", "figures"),
    [
        ("UPDATE usage_event SET fee_pico = 7", ["fee"]),
        ("UPDATE usage_event SET output_tokens = -400 WHERE revision = 2", ["output_tokens"]),
        (
            "UPDATE usage_event SET unrated = 1 WHERE revision = 1",
            ["amount of uncached_input_tokens", "fee", "unrated"],
        ),
        (
            "UPDATE rate_table SET content = replace(content, '0.90', '0.80')",
            ["rate table fingerprint"],
        ),
        (
            "UPDATE dimension SET model = 'mystery'",
            ["amount of uncached_input_tokens", "amount of output_tokens", "fee"],
        ),
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
        each["field"] for revision in explained["revisions"] for each in revision["differences"]
    }
    assert not explained["agrees"]
    assert set(figures) <= found
    assert "WRONG" in render_request(explained)


async def test_a_changed_invoice_does_not_agree(
    database: Database, clock: FixedClock, writer: Writer, database_url: str
) -> None:
    """What is not the line's share is found without looking at records, and named on both pages."""
    await take(writer, input_tokens=10**6)
    await run(database, clock, "2025-10")
    agreeing = await explain_invoice(database, "INV-000001")
    assert (agreeing["agrees"], agreeing["differences"]) == (True, [])
    await tamper(database_url, "UPDATE invoice SET total = 5.90, rounding_pico = 500000000000")
    await tamper(database_url, "UPDATE invoice_line SET amount = 9.99")

    invoice = await explain_invoice(database, "INV-000001")
    line = await explain_invoice_line(database, "INV-000001", 1)

    for explained, render in (
        (invoice, render_invoice_explanation),
        (line, render_line_explanation),
    ):
        assert explained["agrees"] is False
        assert [tuple(each.values()) for each in explained["differences"]] == [
            ("total", "5.90", "0.90"),
            ("rounding", "0.500000000000", "-0.000370800000"),
            ("line 1 amount", "9.99", "0.90"),
        ]
        assert render(explained).endswith(
            "  WRONG     total: recorded 5.90, worked out 0.90\n"
            "  WRONG     rounding: recorded 0.500000000000, worked out -0.000370800000\n"
            "  WRONG     line 1 amount: recorded 9.99, worked out 0.90\n"
            f"{DIFFERS}"
        )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("requests = 2", ["requests: the line says 2, its records 1"]),
        ("input_tokens = 5573", ["input_tokens: the line says 5,573, its records 1,000,000"]),
        ("cached_input_tokens = 1", ["cached_input_tokens: the line says 1, its records 0"]),
        ("output_tokens = 5573", ["output_tokens: the line says 5,573, its records 412"]),
        (
            "fee_pico = 1000000000000",
            ["fee: the line says 1.000000000000, its records 0.000000000000"],
        ),
        (
            "exact_pico = 1900000000000",
            [
                "exact: the line says 1.900000000000, its records 0.900370800000",
                "total: recorded 0.90, worked out 1.90",
                "line 1 exact: recorded 1.900000000000, worked out 0.900370800000",
                "line 1 amount: recorded 0.90, worked out 1.90",
            ],
        ),
    ],
)
async def test_a_changed_line_does_not_agree(
    database: Database,
    clock: FixedClock,
    writer: Writer,
    database_url: str,
    change: str,
    words: list[str],
) -> None:
    """Each figure that its records do not come to is named with both."""
    await take(writer, input_tokens=10**6)
    await run(database, clock, "2025-10")
    await tamper(database_url, f"UPDATE invoice_line SET {change}")

    line = await explain_invoice_line(database, "INV-000001", 1)

    assert line["agrees"] is False
    page = render_line_explanation(line)
    assert page.endswith(DIFFERS)
    told = page.splitlines()
    for each in words:
        assert f"  WRONG     {each}" in told


async def test_a_changed_invoice_without_a_cut(
    database: Database, clock: FixedClock, writer: Writer, database_url: str
) -> None:
    """Its records are not told, but its total is compared all the same."""
    await take(writer, input_tokens=10**6)
    await run(database, clock, "2025-10")
    await tamper(database_url, "UPDATE invoice SET cut = NULL, total = 5.90")

    line = await explain_invoice_line(database, "INV-000001", 1)

    assert (line["agrees"], line["sums"]) == (False, None)
    assert render_line_explanation(line).endswith(
        f"\n\n  WRONG     total: recorded 5.90, worked out 0.90\n{DIFFERS}"
    )
