"""Tiered fees on a real database: what a month's use comes to, wherever it is asked for."""

from decimal import Decimal
from typing import Any

from ledger.clock import FixedClock
from ledger.services.explaining.invoices import explain_invoice, explain_invoice_line
from ledger.services.intake.writer import Writer
from ledger.store.database import Database
from tests.scenarios.invoice_tables import all_invoices, assert_table, record, run
from tests.scenarios.tiered_tables import adjust, assert_whole, charge, fees, short, spend, use


async def test_lavas_worked_example(database: Database, clock: FixedClock, writer: Writer) -> None:
    """5M tokens over 5.00/3.00/1.00 at 0/1M/10M are 5 + 4 x 3 = 17, on top of a cost of 4.50."""
    await charge(database, clock, "acme", "lava")
    await record(
        writer,
        """
        customer  on          model  input    output
        acme      2025-10-16  llama  2000000  500000
        acme      2025-10-17  llama  1000000  1500000
        """,
    )
    assert await fees(database, clock) == {"acme 2025-10 lava": "17"}
    answer = await spend(database, clock, "2025-10-01 2025-11-01", ["model"])
    assert_table(
        [{"meter": None, **row} for row in answer["rows"]],
        """
        model  meter  requests  input_tokens  cost            fee              spend
        llama  None   2         3000000       4.500000000000  0.000000000000   4.500000000000
        None   lava   0         0             0.000000000000  17.000000000000  17.000000000000
        """,
    )
    assert answer["totals"]["spend"] == "21.500000000000"
    await run(database, clock, "2025-10")
    (invoice,) = await all_invoices(database)
    assert invoice["total"] == "21.50"
    assert_table(
        [{"meter": None, **line} for line in invoice["lines"]],
        """
        model  key_type  meter  requests  cost            fee              exact            amount
        llama  managed   None   2         4.500000000000  0.000000000000   4.500000000000   4.50
        None   None      lava   0         0.000000000000  17.000000000000  17.000000000000  17.00
        """,
    )
    await assert_whole(database, clock)


async def test_tiers_begin_anew_with_the_month(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """The last microsecond of October fills October's tiers, the next one November's.

    | 2025-10 | 1M + 1M | 5 + 3 |
    | 2025-11 | 2M      | 5 + 3 |
    | 2025-12 | 1M      | 5     |
    """
    await charge(database, clock, "acme", "lava")
    for at, tokens in (
        ("2025-10-01T00:00:00Z", 1_000_000),
        ("2025-10-31T23:59:59.999999Z", 1_000_000),
        ("2025-11-01T00:00:00Z", 2_000_000),
        ("2025-12-31T23:00:00-01:00", 0),  # 2026 has begun in UTC
        ("2025-12-31T23:59:59Z", 1_000_000),
    ):
        await use(writer, "acme", at, tokens)
    assert await fees(database, clock) == {
        "acme 2025-10 lava": "8",
        "acme 2025-11 lava": "8",
        "acme 2025-12 lava": "5",
    }
    await assert_whole(database, clock)


async def test_a_fee_counts_where_its_month_begins(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """So ranges that adjoin add up to the range of both, and no fee is in two of them."""
    await charge(database, clock, "acme", "lava")
    await use(writer, "acme", "2025-10-20T12:00:00Z", 5_000_000)
    await use(writer, "acme", "2025-11-20T12:00:00Z", 1_000_000)

    async def fee(span: str, **filters: Any) -> str:
        answer = await spend(database, clock, span, **filters)
        assert answer["totals"]["fee"] == sum_of(answer["rows"], "fee")
        return short(answer["totals"]["fee"])

    assert await fee("2025-10-01 2025-12-01") == "22"
    assert await fee("2025-10-01 2025-11-01") == "17"
    assert await fee("2025-10-01 2025-10-01T00:00:00.000001Z") == "17"
    assert await fee("2025-10-01T00:00:00.000001Z 2025-11-01") == "0"
    assert await fee("2025-10-15 2025-11-01T00:00:00.000001Z") == "5"
    assert await fee("2025-10-01 2025-12-01", customers=["acme"]) == "22"
    assert await fee("2025-10-01 2025-12-01", customers=["nobody"]) == "0"
    for others in ({"providers": ["fireworks"]}, {"key_types": ["managed"]}):
        assert await fee("2025-10-01 2025-12-01", **others) == "0"


async def test_late_usage_is_billed_as_the_rest_of_the_fee(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """October was 5M = 17 on its invoice; with 1M late it is 20, and 3 are a line of the next one."""
    await charge(database, clock, "acme", "lava")
    await use(writer, "acme", "2025-10-20T12:00:00Z", 5_000_000)
    await run(database, clock, "2025-10")
    await use(writer, "acme", "2025-10-20T12:00:00Z", 1_000_000)
    await use(writer, "acme", "2025-11-20T12:00:00Z", 1_000_000)
    await run(database, clock, "2025-11")
    _, second = await all_invoices(database)
    assert_table(
        [{"meter": None, **line} for line in second["lines"]],
        """
        period_start  model  meter  requests  fee             exact           amount
        2025-10-01    llama  None   1         0.000000000000  0.900000000000  0.90
        2025-10-01    None   lava   0         3.000000000000  3.000000000000  3.00
        2025-11-01    llama  None   1         0.000000000000  0.900000000000  0.90
        2025-11-01    None   lava   0         5.000000000000  5.000000000000  5.00
        """,
    )
    again = await run(database, clock, "2025-11")
    assert (again["issued"], again["invoices"]) == (0, [])
    await assert_whole(database, clock)


async def test_corrections_and_voids_move_the_fee(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """They count in the month of the request, and what was billed too much is taken back.

    | first | second | fee of October | billed      |
    | 5M    | 1M     | 20             | 20          |
    | 2M    | 1M     | 11             | 20 - 9      |
    | 2M    | void   | 8              | 20 - 12     |
    | void  | void   | 0              | 20 - 20     |
    """
    await charge(database, clock, "acme", "lava")
    first = await use(writer, "acme", "2025-10-20T12:00:00Z", 5_000_000)
    second = await use(writer, "acme", "2025-10-21T12:00:00Z", 1_000_000)
    await run(database, clock, "2025-10")
    assert await fees(database, clock) == {"acme 2025-10 lava": "20"}
    await adjust(database, clock, first, 2_000_000)
    assert await fees(database, clock) == {"acme 2025-10 lava": "11"}
    await adjust(database, clock, second)
    assert await fees(database, clock) == {"acme 2025-10 lava": "8"}
    await assert_whole(database, clock)
    await use(writer, "acme", "2025-11-20T12:00:00Z", 20_000_000)
    await run(database, clock, "2025-11")
    _, invoice = await all_invoices(database)
    assert [line["fee"] for line in invoice["lines"] if "meter" in line] == [
        "-12.000000000000",
        "42.000000000000",
    ]
    await adjust(database, clock, first)
    assert await fees(database, clock) == {"acme 2025-11 lava": "42"}
    await assert_whole(database, clock)


async def test_a_lifetime_goes_on_where_it_stood(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Late usage of an early month moves the later ones up in the tiers, and the next invoice with them.

    | used       | 2025-09 | 2025-10   | 2025-11 |
    | as it came | 4M: 14  | 5M: 15    | 2M: 4   |
    | 1M in Sep  | 5M: 17  | 5M: 15    | 2M: 2   |
    | 4M in Sep  | 9M: 29  | 5M: 3 + 4 | 2M: 2   |
    """
    await charge(database, clock, "acme", "forever", period="lifetime")
    await use(writer, "acme", "2025-09-20T12:00:00Z", 4_000_000)
    await use(writer, "acme", "2025-11-20T12:00:00Z", 2_000_000)
    await use(writer, "acme", "2025-10-20T12:00:00Z", 5_000_000)
    by_month = {
        "acme 2025-09 forever": "14",
        "acme 2025-10 forever": "15",
        "acme 2025-11 forever": "4",
    }
    assert await fees(database, clock) == by_month
    await run(database, clock, "2025-11")
    await use(writer, "acme", "2025-09-20T12:00:00Z", 1_000_000)
    by_month |= {"acme 2025-09 forever": "17", "acme 2025-11 forever": "2"}
    assert await fees(database, clock) == by_month
    await use(writer, "acme", "2025-09-20T12:00:00Z", 4_000_000)
    by_month |= {"acme 2025-09 forever": "29", "acme 2025-10 forever": "7"}
    assert await fees(database, clock) == by_month
    only_november = await spend(database, clock, "2025-11-01 2025-12-01")
    assert only_november["totals"]["fee"] == "2.000000000000"
    await assert_whole(database, clock)  # the months that moved are marked for the next run

    await run(database, clock, "2025-12")
    _, second = await all_invoices(database)
    assert_table(
        [{"meter": None, **line} for line in second["lines"]],
        """
        period_start  model  meter    requests  fee              amount
        2025-09-01    llama  None     2         0.000000000000   4.50
        2025-09-01    None   forever  0         15.000000000000  15.00
        2025-10-01    None   forever  0         -8.000000000000  -8.00
        2025-11-01    None   forever  0         -2.000000000000  -2.00
        """,
    )
    await assert_whole(database, clock)


async def test_each_version_prices_what_came_under_it(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """2M by the first version are 8, 2M by the second 2 x 0.10; a lifetime begins anew with a version.

    On the invoice, as in spend, the meter has one line.
    """
    for slug, period in (("lava", "month"), ("forever", "lifetime")):
        await charge(database, clock, slug, slug, period=period)
        await use(writer, slug, "2025-10-20T12:00:00Z", 2_000_000)
        tiers = [{"start": 0, "rate": "0.10"}]
        await charge(database, clock, slug, slug, period=period, tiers=tiers)
        await use(writer, slug, "2025-10-20T12:00:00Z", 2_000_000)
    assert await fees(database, clock) == {
        "lava 2025-10 lava": "8.2",
        "forever 2025-10 forever": "8.2",
    }
    await run(database, clock, "2025-10")
    for invoice in await all_invoices(database):
        assert [line["fee"] for line in invoice["lines"]] == ["0.000000000000", "8.200000000000"]
    await assert_whole(database, clock)


async def test_customers_with_their_own_keys_owe_the_fee(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Managed and byok tokens fill the same tiers; the cost of the latter is a memo."""
    await charge(database, clock, "acme", "lava")
    await use(writer, "acme", "2025-10-20T12:00:00Z", 1_000_000)
    await use(writer, "acme", "2025-10-20T12:00:00Z", 4_000_000, provider_key_type="unmanaged")
    totals = (await spend(database, clock, "2025-10-01 2025-11-01"))["totals"]
    assert [short(totals[name]) for name in ("cost", "fee", "spend")] == ["4.5", "17", "17.9"]
    await run(database, clock, "2025-10")
    (invoice,) = await all_invoices(database)
    assert invoice["total"] == "17.90"


async def test_what_has_no_price_yet_fills_no_tier(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Unrated usage is worth nothing, so neither is it here; nor is what has not completed."""
    await charge(database, clock, "acme", "lava")
    mystery = await use(writer, "acme", "2025-10-20T12:00:00Z", 5_000_000, "mystery")
    await use(writer, "acme", "2025-10-20T12:00:00Z", 0, status="error")
    assert await fees(database, clock) == {}
    await use(writer, "acme", "2025-10-20T12:00:00Z", 1_000_000)
    await adjust(database, clock, mystery)
    assert await fees(database, clock) == {"acme 2025-10 lava": "5"}
    await assert_whole(database, clock)


async def test_an_answer_of_the_past_has_the_fee_of_the_past(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """What came after a cut is not in its tiers, and a correction is not either."""
    await charge(database, clock, "acme", "lava")
    await charge(database, clock, "bolt", "forever", period="lifetime")
    first = await use(writer, "acme", "2025-10-20T12:00:00Z", 5_000_000)
    await use(writer, "bolt", "2025-10-20T12:00:00Z", 2_000_000)
    then = (await spend(database, clock, "2025-10-01 2025-11-01"))["as_of"]
    before = await fees(database, clock)
    await adjust(database, clock, first, 20_000_000)
    await use(writer, "bolt", "2025-09-20T12:00:00Z", 2_000_000)
    await use(writer, "bolt", "2025-10-20T12:00:00Z", 2_000_000)
    assert before == {"acme 2025-10 lava": "17", "bolt 2025-10 forever": "8"}
    assert await fees(database, clock) == {
        "acme 2025-10 lava": "42",
        "bolt 2025-09 forever": "8",
        "bolt 2025-10 forever": "12",
    }
    assert await fees(database, clock, as_of=then) == before


async def test_spend_invoice_and_explanation_say_the_same(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """To the digit, with a rate that does not divide and late usage on a second invoice."""
    tiers = [{"start": 0, "rate": "0.000000000007"}, {"start": 1_000, "rate": "3.000000000001"}]
    await charge(database, clock, "acme", "odd", tiers=tiers)
    await use(writer, "acme", "2025-10-20T12:00:00Z", 1_234_567)
    await run(database, clock, "2025-10")
    await use(writer, "acme", "2025-10-20T12:00:00Z", 7_654_321)
    await run(database, clock, "2025-11")
    billed = Decimal(0)
    for invoice in await all_invoices(database):
        assert (await explain_invoice(database, invoice["number"]))["agrees"]
        ordinal, line = len(invoice["lines"]), invoice["lines"][-1]
        explained = await explain_invoice_line(database, invoice["number"], ordinal)
        assert explained["agrees"], explained["differences"]
        (version,) = explained["versions"]
        assert sum_of(version["tiers"], "fee") == version["fee"] == explained["period_fee"]
        assert explained["billed_before"] == format(billed, ".12f")
        assert explained["due"] == line["fee"] == explained["fee"]
        billed += Decimal(line["fee"])
    answer = await spend(database, clock, "2025-10-01 2025-11-01")
    assert answer["totals"]["fee"] == format(billed, ".12f")
    assert version["months"] == [{"month": "2025-10", "quantity": "8,888,888"}]


def sum_of(rows: list[dict[str, Any]], name: str) -> str:
    """The sum of amounts as an amount."""
    return format(sum((Decimal(row[name]) for row in rows), Decimal()), ".12f")
