"""Every amount explains itself: which record, which rate table version, which arithmetic."""

from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.core.adjustments import Adjustment
from ledger.core.errors import AmbiguousRequestId, NotFound
from ledger.core.usage.stated import StatedUsage
from ledger.services.adjustments import adjust_request
from ledger.services.explaining.invoice_pages import render_line_explanation
from ledger.services.explaining.invoices import explain_invoice, explain_invoice_line
from ledger.services.explaining.request_pages import render_request
from ledger.services.explaining.requests import explain_request
from ledger.services.intake.outcomes import Verdict
from ledger.services.intake.writer import Writer
from ledger.services.invoice_text import COLUMNS
from ledger.services.rates import publish_tables
from ledger.store.database import Database
from tests.scenarios.explained_requests import (
    WORKED,
    correct,
    documented,
    masked,
    statement,
    take,
    ten_percent,
    void,
)
from tests.scenarios.invoice_tables import MODELS, record, run

EXPECTED_REQUEST = """\
Request req_01K7QJT2YSVV0YR2NPK4Z2GRXQ of acme, 2025-10-16T22:38:50.841000Z
fireworks, accounts/fireworks/models/llama-v3p3-70b-instruct
completed, managed key

Revision 1, usage, recorded 2026-11-20T12:00:00Z in batch 1-2
  input     845 x 0.90 / 1,000,000 = 0.000760500000
  output    412 x 0.90 / 1,000,000 = 0.000370800000
  cost      the sum                = 0.001131300000
  fee       10% of cost            = 0.000113130000
  spend     managed: cost + fee    = 0.001244430000
  rates     fireworks 2025-01-01, file fireworks/2025-01-01.yaml
  meter     standard, version 1: 10% of cost
  digest    (64 digits)
  invoiced  INV-000001, line 1

Revision 2, reversal, recorded 2026-11-20T12:00:00Z in batch 2-4
  decided   by cli: counted twice by the proxy (key fix-17)
  negates   revision 1, in every figure
  counts    requests -1, input_tokens -845, output_tokens -412
  cost      -0.001131300000
  fee       -0.000113130000
  spend     -0.001244430000
  digest    (64 digits)
  invoiced  not yet

Revision 3, replacement, recorded 2026-11-20T12:00:00Z in batch 2-4
  decided   by cli: counted twice by the proxy (key fix-17)
  input     845 x 0.90 / 1,000,000 = 0.000760500000
  output    400 x 0.90 / 1,000,000 = 0.000360000000
  cost      the sum                = 0.001120500000
  fee       10% of cost            = 0.000112050000
  spend     managed: cost + fee    = 0.001232550000
  rates     fireworks 2025-01-01, file fireworks/2025-01-01.yaml
  meter     standard, version 1: 10% of cost
  digest    (64 digits)
  invoiced  not yet

Total of all revisions, as recorded
  requests  1
  cost      0.001120500000
  fee       0.000112050000
  spend     0.001232550000

Rate table fireworks 2025-01-01, in USD
  in force    from 2025-01-01T00:00:00Z
  published   2026-11-20T12:00:00Z
  file        fireworks/2025-01-01.yaml
  fingerprint (64 digits)
  prices      input 0.90 per 1M, output 0.90 per 1M
  source      Undated Fireworks AI tutorial, section "Serverless Pricing (Per
              Million Tokens)". Assumed: the date, and the exact model ids
              behind the tutorial's display names. It states no cached-input
              price, so cached tokens bill as input. whisper-v3 is priced per
              audio minute exactly as printed there; check it before use, since
              the provider's own page showed a far lower price for
              whisper-v3-turbo.

Every recorded amount equals what is worked out here.
"""


async def test_the_worked_record_to_the_digit(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """DESIGN's record, invoiced, then corrected to 400 output tokens: the page that an auditor reads."""
    await ten_percent(database, clock)
    await take(writer)
    await record(
        writer,
        """
        customer  on          model  input  output  times
        acme      2025-10-20  llama    845     412     10
        """,
    )
    await run(database, clock, "2025-10")
    await correct(database, clock, output_tokens=400)

    explained = await explain_request(database, WORKED)

    assert masked(render_request(explained)) == EXPECTED_REQUEST
    assert documented(EXPECTED_REQUEST)
    assert explained["agrees"]
    assert (explained["status"], explained["invoices"]) == ("completed", ["INV-000001"])
    usage, reversal, replacement = explained["revisions"]
    assert usage["steps"][0] == {
        "unit": "uncached_input_tokens",
        "quantity": "845",
        "price": "0.90",
        "per": "1M",
        "priced_as": "input_tokens",
        "arithmetic": "845 x 0.90 / 1,000,000",
        "exact": None,
        "amount": "0.000760500000",
        "rounded": False,
    }
    assert usage["cost"] == {
        "arithmetic": "0.000760500000 + 0.000370800000",
        "amount": "0.001131300000",
    }
    assert usage["fee"]["arithmetic"] == "0.001131300000 x 10 / 100"
    assert usage["spend"]["arithmetic"] == "0.001131300000 + 0.000113130000"
    assert usage["rates"]["published_at"] == "2026-11-20T12:00:00Z"
    assert (reversal["negates"], reversal["steps"]) == (1, [])
    assert reversal["quantities"]["output_tokens"] == -412
    for revision in (reversal, replacement):
        assert revision["decided_by"] == "cli"
        assert revision["reason"] == "counted twice by the proxy"
        assert revision["idempotency_key"] == "fix-17"
    assert replacement["cost"]["amount"] == "0.001120500000"
    assert explained["total"]["spend"] == "0.001232550000"


async def test_byok_owes_the_fee_alone(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Cost stays on the page as a memo."""
    await ten_percent(database, clock)
    await take(writer, provider_key_type="byok")

    explained = await explain_request(database, WORKED)

    (usage,) = explained["revisions"]
    assert usage["spend"] == {
        "rule": "byok: fee only, cost is a memo",
        "arithmetic": "0.000113130000",
        "amount": "0.000113130000",
    }
    assert explained["total"] == {
        "requests": 1,
        "unrated_requests": 0,
        "cost": "0.001131300000",
        "fee": "0.000113130000",
        "spend": "0.000113130000",
    }
    assert "  spend     byok: fee only, cost is a memo = 0.000113130000\n" in render_request(
        explained
    )


async def test_rounding_is_shown(database: Database, clock: FixedClock, writer: Writer) -> None:
    """Ten seconds at 0.20 a minute, and a third of a percent of it."""
    await ten_percent(database, clock, "0.333333")
    await take(writer, model="whisper-v3", input_seconds=10)

    explained = await explain_request(database, WORKED)

    assert explained["agrees"]
    assert masked(render_request(explained)).splitlines()[4:14] == [
        "Revision 1, usage, recorded 2026-11-20T12:00:00Z in batch 1-2",
        "  input_seconds 10 x 0.20 / 60      = 0.033333333333",
        "  cost          the sum             = 0.033333333333",
        "  fee           0.333333% of cost   = 0.000111111000",
        "  spend         managed: cost + fee = 0.033444444333",
        "  rounded   input_seconds, half to even, from 0.033333333333333333333333...",
        "  rounded   fee, half to even, from 0.00011111099999888889",
        "  rates     fireworks 2025-01-01, file fireworks/2025-01-01.yaml",
        "  meter     standard, version 1: 0.333333% of cost",
        "  digest    (64 digits)",
    ]


async def test_cached_input_without_its_own_price(database: Database, writer: Writer) -> None:
    """It is priced as input, and the page says so."""
    await take(writer, cached_input_tokens=200)

    explained = await explain_request(database, WORKED)

    page = render_request(explained)
    assert "  uncached  645 x 0.90 / 1,000,000 = 0.000580500000\n" in page
    assert "  cached    200 x 0.90 / 1,000,000 = 0.000180000000\n" in page
    assert "cached input has none of its own and is priced as input" in page
    assert "  fee       no meter, no fee       = 0.000000000000\n" in page
    (usage,) = explained["revisions"]
    assert usage["quantities"]["input_tokens"] == 845
    assert usage["meter"] is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"model": None}, "it names no model"),
        ({"model": "mystery"}, "no single provider's table in force listed the model"),
        ({"provider": "elsewhere"}, "no rate table of elsewhere is in force at that time"),
        ({"provider": "fireworks", "model": "mystery"}, "2025-01-01 does not list the model"),
        ({"images": 2}, "has no price of the model for images"),
        ({"service_tier": "flex"}, "no prices of the model for service tier flex"),
        ({"batch": True}, "no prices of the model for batch calls"),
    ],
)
async def test_why_a_request_is_unrated(
    database: Database, clock: FixedClock, writer: Writer, fields: dict[str, Any], reason: str
) -> None:
    """Money is unknown, not zero, and what is missing is told; a void takes back the count."""
    stated = {name: value for name, value in fields.items() if value is not None}
    if "model" in fields and fields["model"] is None:
        (outcome,) = await writer.submit(
            [statement({"request_id": WORKED, "customer_id": "acme", "input_tokens": 5})]
        )
        assert outcome.verdict is Verdict.ACCEPTED
    else:
        await take(writer, **stated)
    await void(database, clock)

    explained = await explain_request(database, WORKED)

    usage, reversal = explained["revisions"]
    assert reason in usage["unrated_reason"]
    assert (usage["cost"]["amount"], usage["spend"]["amount"], usage["rates"]) == (None, None, None)
    assert reversal["unrated_reason"] is None
    assert explained["agrees"]
    assert (explained["status"], explained["total"]["unrated_requests"]) == ("voided", 0)
    page = render_request(explained)
    assert "  unrated   cost, fee and spend are unknown and count 0\n" in page
    assert "  unrated   as that was\n" in page
    assert max(map(len, page.splitlines())) <= COLUMNS


async def test_a_price_that_came_later_is_told(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """The reason goes by the tables known now; a correction is rated with them."""
    await take(writer, provider="elsewhere")
    table = (
        'provider: elsewhere\nversion: "1"\neffective_from: 2025-01-01T00:00:00Z\ncurrency: USD\n'
        f'source: a test\nmodels:\n  {MODELS["llama"]}: {{input: "2", output: "0.00"}}\n'
    )
    await publish_tables(database, clock, "test", [("mine/1.yaml", table)], currency="USD")
    (usage,) = (await explain_request(database, WORKED))["revisions"]
    assert usage["unrated_reason"] == (
        "no price was known when it came; the rate table elsewhere 1 has one now"
    )

    await correct(database, clock, output_tokens=0)

    explained = await explain_request(database, WORKED)
    assert explained["agrees"]
    assert [each["cost"]["amount"] for each in explained["revisions"]] == [
        None,
        None,
        "0.001690000000",
    ]
    assert explained["revisions"][2]["rates"]["file"] == "mine/1.yaml"


async def test_a_correction_that_its_table_does_not_price(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """The reason names the table of what was replaced."""
    await take(writer)
    await correct(database, clock, images=1)

    *_, replacement = (await explain_request(database, WORKED))["revisions"]

    assert replacement["unrated_reason"] == (
        "the rate table fireworks 2025-01-01 has no price of the model for images"
    )
    assert replacement["agrees"]


@pytest.mark.parametrize(
    ("status", "words"),
    [("pending", "the request had not completed"), ("error", "the request failed")],
)
async def test_what_has_not_completed_counts_nothing(
    database: Database, writer: Writer, status: str, words: str
) -> None:
    """Revision 0 is told, and stays when the request completes."""
    await take(writer, status=status)
    sighted = await explain_request(database, WORKED)
    await take(writer)
    completed = await explain_request(database, WORKED)

    assert (sighted["status"], sighted["agrees"]) == (status, True)
    assert sighted["total"]["requests"] == 0
    assert sighted["revisions"][0]["invoice"]["state"] == "unmetered"
    page = render_request(sighted)
    assert f"            counts nothing: {words}\n" in page
    assert "  invoiced  not: it counts nothing\n" in page
    assert [each["kind"] for each in completed["revisions"]] == [status, "usage"]
    assert completed["status"] == "completed"


async def test_what_is_not_there(database: Database, clock: FixedClock, writer: Writer) -> None:
    """Unknown and foreign names are not found; an id of two customers wants to know whose."""
    await take(writer)
    await take(writer, "req_test_a", input_tokens=10**6, timestamp="2025-10-03T00:00:00Z")
    await take(writer, "req_test_a", customer_id="bolt")
    assert (await run(database, clock, "2025-10"))["issued"] == 1
    for name, customer_id in (
        ("req_test_b", None), ("a\x00b", None), ("\udcff", None), (WORKED, "bolt"), (WORKED, "nobody"),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await explain_request(database, name, customer_id)
    with pytest.raises(AmbiguousRequestId):
        await explain_request(database, "req_test_a")
    assert (await explain_request(database, "req_test_a", "bolt"))["customer_id"] == "bolt"
    for number, line in (("INV-000009", 1), ("INV-000001", 0), ("INV-000001", 9), ("\x00", 1)):
        with pytest.raises(NotFound):
            await explain_invoice_line(database, number, line)
    with pytest.raises(NotFound):
        await explain_invoice(database, "INV-000001", customers=["bolt"])
    with pytest.raises(NotFound):
        await explain_invoice_line(database, "INV-000001", 1, customers=["bolt"])


async def test_pages_hold_names_from_outside(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Long names and control characters do no harm, and no figure is cut."""
    name = "req_test_\x1b[31m" + "x" * 200
    await take(
        writer, name, input_tokens=10**12, service_tier="standard", timestamp="2025-10-03T00:00:00Z"
    )
    reason = "because " * 100
    await adjust_request(
        database,
        clock,
        "cli",
        name,
        Adjustment("correction", reason, "k" * 255, StatedUsage(output_tokens=1)),
    )
    await run(database, clock, "2025-10")

    request = render_request(await explain_request(database, name))
    line = render_line_explanation(await explain_invoice_line(database, "INV-000001", 1))

    assert "\x1b" not in request + line
    assert "1,000,000,000,000 x 0.90 / 1,000,000 = 900000.000000000000\n" in request
    assert "service tier standard" in request
    assert reason.strip() in " ".join(request.split())
    wide = [each for each in request.splitlines() if len(each) > COLUMNS]
    assert all("xxx" in each or "kkk" in each for each in wide), wide
