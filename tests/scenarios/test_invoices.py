"""Invoices on a real database: what is billed, once, whoever runs when and however it ends.

Usage goes in as a table and invoices are compared with one. `llama` costs 0.90 USD per 1M tokens either
way, `embed` 0.008 per 1M input tokens, and `mystery` is in no rate table.
"""

import asyncio
import itertools
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.core.errors import DatabaseUnavailable, NotFound, UnprocessableDecision
from ledger.core.instants import parse_month
from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from ledger.services import invoices as service
from ledger.services.customers import set_customer
from ledger.services.intake.outcomes import Verdict
from ledger.services.intake.writer import Writer
from ledger.services.invoice_text import COLUMNS, render_invoice
from ledger.services.invoices import list_invoices, run_invoices, show_invoice
from ledger.services.meters import set_meter
from ledger.store.database import Database, owner_connection
from ledger.store.invoices import forget_touched
from ledger.store.log import append_batch
from tests.conftest import NOW

MODELS = {
    "llama": "accounts/fireworks/models/llama-v3p3-70b-instruct",
    "mixtral": "accounts/fireworks/models/mixtral-8x22b-instruct",
    "embed": "nomic-ai/nomic-embed-text-v1.5",
    "mystery": "accounts/fireworks/models/mystery",
}
LLAMA_PER_TOKEN = Decimal("0.0000009")

EXPECTED_TEXT = """\
INVOICE INV-000001
================================================================================
Customer          acme
Issued on         2026-11-20 (UTC)
Billing period    2025-10-01 to 2025-10-31, both days included
Currency          USD
Status            finalised

Service period 2025-09-01 to 2025-09-30, both days included: not billed before
--------------------------------------------------------------------------------
Provider, model, key                                                  Amount USD
             Requests       Input tokens       Cached input      Output tokens
                        Cost                       Fee              Exact amount
--------------------------------------------------------------------------------
fireworks, mystery, byok                                                    0.00
                    1                  1                  0                  1
              0.000000000000            0.000000000000            0.000000000000
--------------------------------------------------------------------------------

Service period 2025-10-01 to 2025-10-31, both days included
--------------------------------------------------------------------------------
Provider, model, key                                                  Amount USD
             Requests       Input tokens       Cached input      Output tokens
                        Cost                       Fee              Exact amount
--------------------------------------------------------------------------------
fireworks, llama-v3p3-70b-instruct, managed                                 1.24
                1,000            845,000                  0            412,000
              1.131300000000            0.113130000000            1.244430000000
--------------------------------------------------------------------------------
Models are named without accounts/fireworks/models/

                                    Subtotal USD                            1.24
                                    Tax USD                                 0.00
                                    Total USD                               1.24
                                    Rounding                     -0.004430000000

Each line is its usage at the published rates plus the fee, kept exactly; the
sum of the exact amounts was rounded once, half up, to the total, the line
amounts share that total by largest remainder, and what was rounded up (or, with
a minus, down) is shown as rounding.
Lines with the customer's own key (byok) owe the fee only: their cost is shown
for information and is billed by the provider to the owner of the key.
"""

_ids = itertools.count()


def table(text: str) -> list[dict[str, str]]:
    """Rows of words under a heading."""
    heading, *rows = (line.split() for line in text.strip().splitlines())
    return [dict(zip(heading, row, strict=True)) for row in rows]


def assert_table(rows: Sequence[dict[str, Any]], text: str) -> None:
    """Compare rows with a table, in the table's columns."""
    heading = text.strip().splitlines()[0].split()
    short = {model: name for name, model in MODELS.items()}
    shown = [{name: str(short.get(row[name], row[name])) for name in heading} for row in rows]
    assert shown == table(text)


async def record(writer: Writer, text: str) -> None:
    """Take in usage: customer, time, model, key, input and output tokens, how many times."""
    statements = [statement(row) for row in table(text) for _ in range(int(row.get("times", "1")))]
    outcomes = await writer.submit(statements)
    assert {outcome.verdict for outcome in outcomes} == {Verdict.ACCEPTED}


def statement(row: dict[str, str]) -> Statement:
    """A record of a row, with an id of its own."""
    raw = json.dumps(
        {
            "request_id": f"req_test_{next(_ids)}",
            "customer_id": row["customer"],
            "timestamp": f"{row['on']}T12:00:00Z",
            "provider": "fireworks",
            "model": MODELS[row["model"]],
            "provider_key_type": row.get("key", "managed"),
            "input_tokens": int(row["input"]),
            "output_tokens": int(row.get("output", "0")),
        }
    )
    read = read_statement(raw.encode(), NOW)
    assert isinstance(read, Statement), read
    return read


async def run(database: Database, clock: Any, month: str, **options: Any) -> dict[str, Any]:
    return await run_invoices(
        database, clock, "finance", parse_month(month), currency="USD", **options
    )


async def all_invoices(database: Database) -> list[dict[str, Any]]:
    """Every invoice, with lines."""
    heads = await list_invoices(database, most=1_000)
    return [await show_invoice(database, head["number"]) for head in heads]


async def ten_percent_for(database: Database, clock: FixedClock, customer_id: str) -> None:
    await set_meter(database, clock, "admin", "ten-percent", "10")
    await set_customer(database, clock, "admin", customer_id, "ten-percent")


async def scalar(database: Database, sql: str) -> Any:
    async with database.connection() as connection:
        return await connection.fetchval(sql)


async def state(database: Database) -> list[Any]:
    """The content of every table that a run may write to."""
    tables = ("invoice", "invoice_line", "ledger_event", "batch", "number_series", "touched_period")
    async with database.connection() as connection:
        found = [await connection.fetch(f"SELECT * FROM {name} ORDER BY 1, 2") for name in tables]
        return [*found, await connection.fetchval("SELECT epoch FROM configuration")]


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


async def test_the_same_run_again_does_nothing(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """A repeat issues nothing, takes no number and finds no customer to look at."""
    await record(
        writer,
        """
        customer  on          model  input
        acme      2025-09-30  llama  1000000
        acme      2025-10-31  llama  1000000
        bolt      2025-10-31  llama  1000000
        """,
    )
    first = await run(database, clock, "2025-10")
    assert (first["issued"], first["total"]) == (2, "2.70")
    before = (await state(database))[:-1]
    assert await run(database, clock, "2025-10") == {
        "period": "2025-10", "issued": 0, "skipped": 0, "total": "0.00", "invoices": [],
    }  # fmt: skip
    assert (await state(database))[:-1] == before


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


@pytest.mark.parametrize("runners", [2, 4])
async def test_runners_at_once_bill_once(
    database: Database,
    clock: FixedClock,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
    runners: int,
) -> None:
    """However many run at the same time, each customer gets one invoice, and no number is missing."""
    monkeypatch.setattr(service, "CHUNK_CUSTOMERS", 3)
    rows = "\n".join(f"c{n:02} 2025-10-16 llama {n + 1}000000" for n in range(20))
    await record(writer, f"customer on model input\n{rows}")
    answers = await asyncio.gather(*(run(database, clock, "2025-10") for _ in range(runners)))
    assert sum(answer["issued"] for answer in answers) == 20
    invoices = await all_invoices(database)
    assert [invoice["number"] for invoice in invoices] == [f"INV-{n:06}" for n in range(1, 21)]
    assert {invoice["customer_id"]: invoice["total"] for invoice in invoices} == {
        f"c{n:02}": str(Decimal("0.90") * (n + 1)) for n in range(20)
    }
    assert await scalar(database, "SELECT count(*) FROM touched_period") == 0


@pytest.mark.parametrize("step", ["read_due", "forget_touched", "write_invoices", "append_batch"])
async def test_a_run_that_ends_midway_is_finished_by_the_next(
    database: Database,
    clock: FixedClock,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    """Wherever it is cancelled, nothing is lost, nothing billed twice, and no lock or number is left over."""
    monkeypatch.setattr(service, "CHUNK_CUSTOMERS", 2)
    rows = "\n".join(f"c{n} 2025-10-16 llama {n + 1}000000" for n in range(6))
    await record(writer, f"customer on model input\n{rows}")
    with monkeypatch.context() as patch:
        calls, whole = itertools.count(1), getattr(service, step)

        async def cancelled_in_the_second_chunk(*arguments: Any, **options: Any) -> Any:
            result = await whole(*arguments, **options)
            if next(calls) == 2:
                raise asyncio.CancelledError
            return result

        patch.setattr(service, step, cancelled_in_the_second_chunk)
        with pytest.raises(asyncio.CancelledError):
            await run(database, clock, "2025-10")
    assert len(await all_invoices(database)) == 2
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 3"
    assert await scalar(database, locks) == 0
    answer = await run(database, clock, "2025-10")
    assert (answer["issued"], answer["skipped"]) == (4, 0)
    assert_table(
        await all_invoices(database),
        """
        number      customer_id  total
        INV-000001  c0           0.90
        INV-000002  c1           1.80
        INV-000003  c2           2.70
        INV-000004  c3           3.60
        INV-000005  c4           4.50
        INV-000006  c5           5.40
        """,
    )


async def test_a_lost_connection_is_no_lost_invoice(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the server ends the run's session before the commit, the run says so, and a repeat bills."""
    await record(
        writer,
        """
        customer  on          model  input
        acme      2025-10-16  llama  1000000
        """,
    )
    with monkeypatch.context() as patch:

        async def append_and_be_ended(connection: Any, *arguments: Any, **options: Any) -> None:
            await append_batch(connection, *arguments, **options)
            async with owner_connection(database.url) as owner:
                session = connection.get_server_pid()
                assert await owner.fetchval("SELECT pg_terminate_backend($1, 5000)", session)

        patch.setattr(service, "append_batch", append_and_be_ended)
        with pytest.raises(DatabaseUnavailable):
            await run(database, clock, "2025-10")
    assert await all_invoices(database) == []
    await run(database, clock, "2025-10")
    assert_table(
        await list_invoices(database),
        """
        number      customer_id  total
        INV-000001  acme         0.90
        """,
    )


async def test_usage_between_snapshot_and_commit_stays_marked(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Usage that lands while its month is being settled is not in the invoice, and is in the next."""
    october = """
        customer  on          model  input
        acme      2025-10-16  llama  1000000
        """
    await record(writer, october)
    with monkeypatch.context() as patch:

        async def record_and_forget(*arguments: Any) -> None:
            await record(writer, october)
            await forget_touched(*arguments)

        patch.setattr(service, "forget_touched", record_and_forget)
        await run(database, clock, "2025-10")
    await run(database, clock, "2025-11")
    assert_table(
        await all_invoices(database),
        """
        number      period_start  total
        INV-000001  2025-10-01    0.90
        INV-000002  2025-11-01    0.90
        """,
    )


async def test_a_dry_run_writes_nothing(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """It tells what would be issued, without numbers, also in the middle of a period."""
    await record(
        writer,
        """
        customer  on          model  input
        acme      2026-11-02  embed  1000000000
        bolt      2026-11-02  embed  1
        """,
    )
    await record(
        writer,
        """
        customer  on          model  input
        acme      2025-11-02  llama  1000000
        """,
    )
    before = await state(database)
    answer = await run(database, clock, "2026-11", dry_run=True)
    assert (answer["issued"], answer["skipped"], answer["total"]) == (1, 1, "0.90")
    assert_table(
        answer["invoices"],
        """
        number  customer_id  period_start  period_end  status  currency  total
        None    acme         2026-11-01    2026-12-01  draft   USD       0.90
        """,
    )
    assert await state(database) == before


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


async def test_intake_goes_on_while_invoices_run(
    database: Database, clock: FixedClock, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever lands in between: after a last run of a later period, billed is exactly all that was used."""
    monkeypatch.setattr(service, "CHUNK_CUSTOMERS", 2)
    used: dict[tuple[str, str], int] = {}
    done = asyncio.Event()

    async def take_in(offset: int) -> None:
        for n in range(offset, offset + 60):
            customer, month = f"c{n % 5}", ("2025-08", "2025-09", "2025-10")[n % 3]
            tokens = 20_000 + 7 * n
            row = f"{customer} {month}-{n % 28 + 1:02} {('llama', 'mixtral')[n % 2]} {tokens} 0"
            await record(writer, f"customer on model input output\n{row}")
            used[customer, month] = used.get((customer, month), 0) + tokens

    async def keep_running() -> None:
        for month in itertools.cycle(("2025-08", "2025-09", "2025-10")):
            await run(database, clock, month)
            if done.is_set():
                return
            await asyncio.sleep(
                0.01
            )  # a run holds intake off for a moment; some usage lands in between

    async def all_intake() -> None:
        await asyncio.gather(*(take_in(1000 * lane) for lane in range(4)))
        done.set()

    await asyncio.gather(all_intake(), keep_running(), keep_running())
    await run(database, clock, "2025-11")
    invoices = await all_invoices(database)
    billed: dict[tuple[str, str], Decimal] = {}
    for invoice in invoices:
        for line in invoice["lines"]:
            key = (invoice["customer_id"], line["period_start"][:7])
            billed[key] = billed.get(key, Decimal(0)) + Decimal(line["exact"])
    assert billed == {key: tokens * LLAMA_PER_TOKEN for key, tokens in used.items()}
    assert sum(line["requests"] for invoice in invoices for line in invoice["lines"]) == 240
    numbers = [invoice["number"] for invoice in invoices]
    assert numbers == [f"INV-{n:06}" for n in range(1, len(invoices) + 1)]


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
    """Wide figures are stacked, long names wrapped, and control characters lose their power."""
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
    assert "unknown provider, unknown model, managed" in text
    assert "without" not in text  # nothing is common to the names
