"""Invoices on a real database: what is billed, and when.

Usage goes in as a table and invoices are compared with one.
"""

import json
from datetime import UTC, datetime

import pytest

from ledger.clock import FixedClock
from ledger.core.errors import NotFound, UnprocessableDecision
from ledger.services.intake.writer import Writer
from ledger.services.invoice_text import COLUMNS, render_invoice
from ledger.services.invoices import list_invoices, show_invoice
from ledger.store.database import Database
from tests.conftest import NOW
from tests.scenarios.invoice_tables import (
    all_invoices,
    assert_table,
    record,
    run,
    ten_percent_for,
)

EXPECTED_TEXT = """\
INVOICE                                                               INV-000001
================================================================================
Billed to         acme
Billing period    2025-10-01 to 2025-10-31, both days included
Issued on         2026-11-20 (UTC)
Status            finalised
Total             USD 1.24

Service period 2025-09-01 to 2025-09-30, both days included: not billed before
--------------------------------------------------------------------------------
Model                        Requests    Input tokens  Output tokens  Amount USD
--------------------------------------------------------------------------------
mystery                             1               1              1        0.00
  fireworks, own key (byok)
  fee 0.000000000000; the cost of 0.000000000000 is the provider's to bill
--------------------------------------------------------------------------------

Service period 2025-10-01 to 2025-10-31, both days included
--------------------------------------------------------------------------------
Model                        Requests    Input tokens  Output tokens  Amount USD
--------------------------------------------------------------------------------
llama-v3p3-70b-instruct         1,000         845,000        412,000        1.24
  fireworks, managed key
  cost 1.131300000000 + fee 0.113130000000 = 1.244430000000
--------------------------------------------------------------------------------
Models are named without accounts/fireworks/models/

                                    Subtotal                                1.24
                                    Tax                                     0.00
                                    --------------------------------------------
                                    Total USD                               1.24
                                    ============================================
                                    Rounding in the total        -0.004430000000

Each line is its usage at the published rates plus the fee, kept exactly; the
sum of the exact amounts was rounded once, half up, to the total, the line
amounts share that total by largest remainder, and what was rounded up (or, with
a minus, down) is shown as rounding.
Lines with the customer's own key (byok) owe the fee only: their cost is shown
for information and is billed by the provider to the owner of the key.
"""


async def test_a_run_tells_how_many_requests_have_no_price(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Nothing is due for them yet, and the line that counts them does not say so."""
    await record(
        writer,
        """
        customer  on          model    key      input  output  times
        acme      2025-10-16  llama    managed    845     412   1000
        acme      2025-10-16  mystery  managed    845     412   2
        """,
    )

    assert (await run(database, clock, "2025-10"))["unrated_requests"] == 2


async def test_a_month_by_hand(database: Database, clock: FixedClock, writer: Writer) -> None:
    """1,000 records of 0.00124443 are invoiced as 1.24, and 0.00443 is shown as rounding."""
    await ten_percent_for(database, clock, "acme")
    await record(
        writer,
        """
        customer  on          model  key      input  output  times
        acme      2025-10-16  llama  managed    845     412   1000
        """,
    )
    answer = await run(database, clock, "2025-10")
    assert answer == {
        "period": "2025-10",
        "issued": 1,
        "skipped": 0,
        "total": "1.24",
        "unrated_requests": 0,
        "invoices": await list_invoices(database),
    }
    assert_table(
        answer["invoices"],
        """
        number      customer_id  period_start  period_end  status     currency  total
        INV-000001  acme         2025-10-01    2025-11-01  finalised  USD       1.24
        """,
    )
    invoice = await show_invoice(database, "INV-000001")
    assert_table(
        [invoice],
        """
        issued_at             subtotal  tax   total  rounding
        2026-11-20T12:00:00Z  1.24      0.00  1.24   -0.004430000000
        """,
    )
    assert_table(
        invoice["lines"],
        """
        model  requests  input_tokens  output_tokens  cost            fee             exact           amount
        llama  1000      845000        412000         1.131300000000  0.113130000000  1.244430000000  1.24
        """,
    )


async def test_the_fact_is_the_document(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """What the log keeps of an invoice is all that is shown of it, and who issued it."""
    await record(
        writer,
        """
        customer  on          model    key      input
        acme      2025-10-16  llama    managed  1000000
        acme      2025-10-17  mystery  byok     5
        """,
    )
    await run(database, clock, "2025-10")
    async with database.connection() as connection:
        fact = await connection.fetchrow(
            "SELECT e.subject, e.actor, e.body, b.decisions FROM ledger_event e "
            "JOIN batch b USING (lane, batch) WHERE kind = 'invoice_finalised'"
        )
    assert (fact["subject"], fact["actor"], fact["decisions"]) == ("INV-000001", "finance", 1)
    assert json.loads(fact["body"]) == await show_invoice(database, "INV-000001")


async def test_less_than_a_cent_waits(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """A month of 0.004 is no invoice; with the next month's 0.003 it makes 0.01."""
    await record(
        writer,
        """
        customer  on          model  input
        acme      2025-10-16  embed  500000
        """,
    )
    for _ in range(2):
        answer = await run(database, clock, "2025-10")
        assert (answer["issued"], answer["skipped"], answer["total"]) == (0, 1, "0.00")
    await record(
        writer,
        """
        customer  on          model  input
        acme      2025-11-30  embed  375000
        """,
    )
    await run(database, clock, "2025-11")
    (invoice,) = await all_invoices(database)
    assert (invoice["number"], invoice["total"]) == ("INV-000001", "0.01")
    assert invoice["rounding"] == "0.003000000000"
    assert_table(
        invoice["lines"],
        """
        period_start  period_end  input_tokens  exact           amount
        2025-10-01    2025-11-01  500000        0.004000000000  0.01
        2025-11-01    2025-12-01  375000        0.003000000000  0.00
        """,
    )


async def test_late_usage_is_a_line_of_the_next_invoice(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """What comes after the invoice waits for the next period and keeps its own service month."""
    october = """
        customer  on          model  input
        acme      2025-10-16  llama  1000000
        """
    await record(writer, october)
    await run(database, clock, "2025-10")
    await record(writer, october)
    again = await run(database, clock, "2025-10")
    assert (again["issued"], again["skipped"]) == (0, 1)
    await record(
        writer,
        """
        customer  on          model  input
        acme      2025-11-01  llama  2000000
        acme      2025-12-01  llama  4000000
        """,
    )
    await run(database, clock, "2025-11")
    _, second = await all_invoices(database)
    assert (second["period_start"], second["period_end"]) == ("2025-11-01", "2025-12-01")
    assert_table(
        second["lines"],
        """
        period_start  model  requests  input_tokens  exact           amount
        2025-10-01    llama  1         1000000       0.900000000000  0.90
        2025-11-01    llama  1         2000000       1.800000000000  1.80
        """,
    )


async def test_unrated_and_byok_usage(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """A byok line owes its fee, its cost is a memo; unrated usage is counted at zero beside it."""
    await ten_percent_for(database, clock, "acme")
    await record(
        writer,
        """
        customer  on          model    key      input    output
        acme      2025-10-16  llama    managed  1000000  0
        acme      2025-10-16  llama    byok     1000000  500000
        acme      2025-10-16  mystery  managed  7        8
        bolt      2025-10-16  mystery  managed  7        8
        """,
    )
    answer = await run(database, clock, "2025-10")
    assert (answer["issued"], answer["skipped"]) == (1, 1)
    (invoice,) = await all_invoices(database)
    assert invoice["total"] == "1.13"
    assert_table(
        invoice["lines"],
        """
        model    key_type  requests  cost            fee             exact           amount
        llama    managed   1         0.900000000000  0.090000000000  0.990000000000  0.99
        llama    byok      1         1.350000000000  0.135000000000  0.135000000000  0.14
        mystery  managed   1         0.000000000000  0.000000000000  0.000000000000  0.00
        """,
    )


async def test_a_period_that_is_not_over_is_refused(database: Database, clock: FixedClock) -> None:
    """The first instant after the period is the first at which it can be billed."""
    for now in (NOW, datetime(2026, 11, 30, 23, 59, 59, 999_999, UTC)):
        clock.instant = now
        with pytest.raises(UnprocessableDecision) as refused:
            await run(database, clock, "2026-11")
        assert refused.value.code == "period_open"
    clock.instant = datetime(2026, 12, 1, tzinfo=UTC)
    assert (await run(database, clock, "2026-11"))["issued"] == 0


async def test_one_customer_alone(database: Database, clock: FixedClock, writer: Writer) -> None:
    """A run for one customer leaves the others to a later run; an unknown one is told."""
    await record(
        writer,
        """
        customer  on          model  input
        acme      2025-10-16  llama  1000000
        bolt      2025-10-16  llama  1000000
        """,
    )
    await run(database, clock, "2025-10", customer_id="bolt")
    await run(database, clock, "2025-10")
    assert_table(
        await list_invoices(database),
        """
        number      customer_id
        INV-000001  bolt
        INV-000002  acme
        """,
    )
    with pytest.raises(NotFound):
        await run(database, clock, "2025-10", customer_id="nobody")


async def test_invoices_are_seen_by_whom_they_concern(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """A foreign invoice is as unknown as one that does not exist; lists go page by page."""
    await record(
        writer,
        """
        customer  on          model  input
        acme      2025-10-16  llama  1000000
        bolt      2025-10-16  llama  1000000
        """,
    )
    await run(database, clock, "2025-10")
    assert (await show_invoice(database, "INV-000002", customers=["bolt"]))["total"] == "0.90"
    for number, customers in (
        ("INV-000001", ["bolt"]), ("INV-000003", None), ("INV-000001", []), ("\x00", None),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await show_invoice(database, number, customers=customers)
    (first,) = await list_invoices(database, most=1)
    (second,) = await list_invoices(database, after=first["number"])
    assert (first["customer_id"], second["customer_id"]) == ("acme", "bolt")
    assert await list_invoices(database, customers=["bolt"]) == [second]


async def test_lists_stay_in_the_order_of_issue(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """The millionth number is a digit longer and still comes last."""
    async with database.connection() as connection:
        await connection.execute("INSERT INTO number_series VALUES ('INV', 999998)")
    await record(
        writer,
        """
        customer  on          model  input
        acme      2025-10-16  llama  1000000
        bolt      2025-10-16  llama  1000000
        """,
    )
    await run(database, clock, "2025-10")
    first, second = await list_invoices(database)
    assert (first["number"], second["number"]) == ("INV-999999", "INV-1000000")
    assert await list_invoices(database, after="INV-999999") == [second]


async def test_the_text_of_an_invoice(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Every date is inclusive, every month stands apart, every figure is whole, in 80 columns."""
    await ten_percent_for(database, clock, "acme")
    await record(
        writer,
        """
        customer  on          model    key      input  output  times
        acme      2025-09-30  mystery  byok     1      1       1
        acme      2025-10-16  llama    managed    845     412  1000
        """,
    )
    await run(database, clock, "2025-10")
    text = render_invoice(await show_invoice(database, "INV-000001"))
    assert max(map(len, text.splitlines())) <= COLUMNS
    assert text == EXPECTED_TEXT


def test_the_text_never_cuts() -> None:
    """Wide figures are stacked, long names folded, and control characters lose their power."""
    wide = 10**24
    line = {
        "provider": None, "model": "accounts/" + "m" * 200, "key_type": "managed",
        "period_start": "2025-10-01", "period_end": "2025-11-01", "requests": wide,
        "input_tokens": wide, "cached_input_tokens": 0, "output_tokens": 0,
        "cost": f"{wide}.000000000001", "fee": "0.000000000000", "exact": f"-{wide}.000000000001",
        "amount": f"-{wide}.00",
    }  # fmt: skip
    unknown = line | {"model": None, "amount": "0.00"}
    invoice = {
        "number": "INV-000001", "customer_id": "a\x1b[31m" + "c" * 200, "status": "finalised",
        "period_start": "2025-10-01", "period_end": "2025-11-01", "issued_at": "2025-11-01T00:00:00Z",
        "currency": "USD", "lines": [line, unknown, line | {"model": "other/model"}],
        "subtotal": f"{wide}.00", "tax": "0.00", "total": f"{wide}.00", "rounding": "0.000000000000",
    }  # fmt: skip
    text = render_invoice(invoice)
    assert max(map(len, text.splitlines())) <= COLUMNS
    assert "\x1b" not in text
    assert f"-{wide:,}.000000000001" in text
    assert text.count("m" * 10) >= 2
    assert "\nunknown model  " in text
    assert "\n  unknown provider, managed key\n" in text
    assert "without" not in text  # nothing is common to the names


def test_a_long_name_is_folded_where_its_words_end() -> None:
    """Behind slashes and hyphens, in its own column, so that the figures stay in theirs."""
    line = {
        "provider": "fireworks", "model": "accounts/acme/deployments/qwen3-vl-30b-a3b-thinking",
        "key_type": "managed", "period_start": "2025-10-01", "period_end": "2025-11-01",
        "requests": 12, "input_tokens": 1_234_567, "cached_input_tokens": 34_567,
        "output_tokens": 89, "cost": "1.230000000000", "fee": "0.000000000000",
        "exact": "1.230000000000", "amount": "1.23",
    }  # fmt: skip
    invoice = {
        "number": "INV-000002", "customer_id": "acme", "status": "finalised",
        "period_start": "2025-10-01", "period_end": "2025-11-01", "issued_at": "2025-11-01T00:00:00Z",
        "currency": "USD", "lines": [line, line | {"model": "other/model"}],
        "subtotal": "2.46", "tax": "0.00", "total": "2.46", "rounding": "0.000000000000",
    }  # fmt: skip
    assert FOLDED_LINE in render_invoice(invoice)


FOLDED_LINE = """
accounts/acme/deployments/         12       1,234,567             89        1.23
qwen3-vl-30b-a3b-thinking
  fireworks, managed key                34,567 cached
  cost 1.230000000000 + fee 0.000000000000 = 1.230000000000
"""
