"""Invoice lines explain themselves: which days, which records, and how the total was shared."""

import random
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ledger.clock import FixedClock
from ledger.core.adjustments import Adjustment
from ledger.core.usage.stated import StatedUsage
from ledger.services.adjustments import adjust_request
from ledger.services.explaining.invoice_pages import (
    render_invoice_explanation,
    render_line_explanation,
)
from ledger.services.explaining.invoices import explain_invoice, explain_invoice_line
from ledger.services.explaining.request_pages import render_request
from ledger.services.explaining.requests import explain_request
from ledger.services.intake.writer import Writer
from ledger.store.database import Database
from tests.scenarios.explained_requests import (
    WORKED,
    correct,
    documented,
    statement,
    take,
    tamper,
    ten_percent,
    void,
)
from tests.scenarios.invoice_tables import MODELS, assert_table, record, run

Place = tuple[str, int, str, int]  # an invoice, its line, a request, its revision

DECEMBER = datetime(2026, 12, 2, tzinfo=UTC)

EXPECTED_INVOICE = """\
Invoice INV-000001 of acme in USD, total 1.24
Billing period from 2025-10-01 to before 2025-11-01, UTC

  line           exact  floor       remainder  given  amount
  1     1.230741270000   1.23  0.000741270000   0.00    1.23
      fireworks, accounts/fireworks/models/llama-v3p3-70b-instruct, managed key,
      2025-10
  2     0.007605000000   0.00  0.007605000000   0.01    0.01
      fireworks, accounts/fireworks/models/llama-v3p3-70b-instruct, byok key,
      2025-10

  exact     the sum of the lines   = 1.238346270000
  total     exact, rounded half up =           1.24
  rounding  total - exact          = 0.001653730000
  floors    the sum of the lines   =           1.23
  lacking   total - floors         =           0.01
  given to  line 2

The exact amounts are summed up and rounded once, half up. Every line is rounded
down; what the lines then lack goes, one smallest unit each, to the lines with
the largest remainders, the earlier first.

What a line billed: ledger explain INV-000001 --line 1
Every figure equals what is worked out here.
"""

EXPECTED_LINE = """\
Invoice INV-000002 of acme in USD, line 1 of 1
fireworks, accounts/fireworks/models/llama-v3p3-70b-instruct, managed key
Service period from 2025-10-01 to before 2025-11-01, UTC

What it says
  requests                          9
  input_tokens                  7,605
  cached_input_tokens               0
  output_tokens                 3,696
  cost                 0.010170900000
  fee                  0.001017090000
  exact                0.011187990000
  exact is             managed: cost + fee

Its share of the total 0.01, which is 0.011187990000 rounded half up
  floor     exact, rounded down          =           0.01
  remainder exact - floor                = 0.001187990000
  given     of 0.00 that all floors lack =           0.00
  amount    floor + given                =           0.01

What it billed, by UTC day: after the cut 1-3.2-2 of INV-000001 and up to the
cut 1-4.2-4
  day         requests             cost              fee            exact
  2025-10-16         0  -0.000010800000  -0.000001080000  -0.000011880000
  2025-10-18         9   0.010181700000   0.001018170000   0.011199870000
  sum                9   0.010170900000   0.001017090000   0.011187990000

11 records; the first 2 by time
  second                revision            exact  request
  2025-10-16T22:38:50Z         2  -0.001244430000  req_01K7QJT2YSVV0YR2NPK4Z2GRXQ
  2025-10-16T22:38:50Z         3   0.001232550000  req_01K7QJT2YSVV0YR2NPK4Z2GRXQ
Each in full: ledger explain REQUEST --customer acme

Every figure equals what is worked out here.
"""


async def test_each_revision_names_its_line(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """An invoice, then a late record and a correction, the next invoice; its line has just those."""
    await ten_percent(database, clock)
    await take(writer)
    await record(
        writer,
        """
        customer  on          model  key      input  output  times
        acme      2025-10-17  llama  managed    845     412    988
        acme      2025-10-17  llama  byok     84500       0      1
        """,
    )
    await run(database, clock, "2025-10")
    await correct(database, clock, output_tokens=400)
    await record(
        writer,
        """
        customer  on          model  input  output  times
        acme      2025-10-18  llama    845     412      9
        """,
    )
    not_yet = await explain_request(database, WORKED)
    clock.instant = DECEMBER
    await run(database, clock, "2026-11")
    explained = await explain_request(database, WORKED)

    assert [each["invoice"]["state"] for each in not_yet["revisions"]] == [
        "invoiced",
        "not_invoiced",
        "not_invoiced",
    ]
    assert_table(
        [each["invoice"] for each in explained["revisions"]],
        """
        state     number      line
        invoiced  INV-000001  1
        invoiced  INV-000002  1
        invoiced  INV-000002  1
        """,
    )
    assert explained["invoices"] == ["INV-000001", "INV-000002"]
    first = await explain_invoice_line(database, "INV-000001", 1)
    assert (first["record_count"], len(first["records"]), first["previous"]) == (989, 100, None)
    assert_table(
        first["buckets"],
        """
        day         requests  output_tokens  cost            fee             exact
        2025-10-16  1         412            0.001131300000  0.000113130000  0.001244430000
        2025-10-17  988       407056         1.117724400000  0.111772440000  1.229496840000
        """,
    )
    second = await explain_invoice_line(database, "INV-000002", 1, most_records=2)
    assert second["previous"]["number"] == "INV-000001"
    assert_table(
        second["records"],
        """
        request_id                      revision  kind         output_tokens  exact
        req_01K7QJT2YSVV0YR2NPK4Z2GRXQ  2         reversal     -412           -0.001244430000
        req_01K7QJT2YSVV0YR2NPK4Z2GRXQ  3         replacement  400            0.001232550000
        """,
    )
    assert (
        render_invoice_explanation(await explain_invoice(database, "INV-000001"))
        == EXPECTED_INVOICE
    )
    assert render_line_explanation(second) == EXPECTED_LINE
    none = render_line_explanation(
        await explain_invoice_line(database, "INV-000002", 1, most_records=0)
    )
    assert none.endswith(
        "\n11 records; the first 0 by time\n\nEvery figure equals what is worked out here.\n"
    )
    assert documented(EXPECTED_INVOICE)
    assert documented(EXPECTED_LINE)


async def test_what_came_to_nothing_has_no_line(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """A record and its void, settled by one invoice, leave no line on it."""
    await take(
        writer, "req_test_mixtral", model=MODELS["mixtral"], timestamp="2025-10-03T00:00:00Z"
    )
    await void(database, clock, "req_test_mixtral")
    await take(writer, "req_test_large", input_tokens=10**6, timestamp="2025-10-03T00:00:00Z")
    await run(database, clock, "2025-10")

    explained = await explain_request(database, "req_test_mixtral")

    for revision in explained["revisions"]:
        assert revision["invoice"] == {
            "state": "came_to_nothing",
            "number": "INV-000001",
            "line": None,
        }
    page = render_request(explained)
    assert page.count("  invoiced  settled by INV-000001, where it came to nothing\n") == 2


async def test_two_writers_in_two_lanes(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """A line takes from every lane what lies between its cuts."""
    other = Writer(database, clock)
    await other.start()
    usage = """
        customer  on          model    input
        acme      2025-10-16  llama  1000000
        """
    for each in (writer, other):
        await record(each, usage)
    await run(database, clock, "2025-10")
    for each in (other, writer, other):
        await record(each, usage)
    await other.close()
    clock.instant = DECEMBER
    await run(database, clock, "2026-11")

    first = await explain_invoice_line(database, "INV-000001", 1)
    second = await explain_invoice_line(database, "INV-000002", 1)

    assert [first["requests"], first["record_count"], first["agrees"]] == [2, 2, True]
    assert [second["requests"], second["record_count"], second["agrees"]] == [3, 3, True]
    lanes = set()
    for each in (*first["records"], *second["records"]):
        (revision,) = (await explain_request(database, each["request_id"]))["revisions"]
        lanes.add(revision["lane"])
        expected = "INV-000001" if each in first["records"] else "INV-000002"
        assert revision["invoice"]["number"] == expected
    assert len(lanes) == 2


async def test_before_cuts_were_kept(
    database: Database, clock: FixedClock, writer: Writer, database_url: str
) -> None:
    """What is not known is not claimed: neither the records of a line nor the invoice of a record."""
    await take(writer, input_tokens=10**6)
    await run(database, clock, "2025-10")
    await tamper(database_url, "UPDATE invoice SET cut = NULL")
    clock.instant = DECEMBER
    await take(writer, "req_test_late", input_tokens=10**6, timestamp="2025-10-03T00:00:00Z")
    await run(database, clock, "2026-11")

    early, late = [await explain_request(database, each) for each in (WORKED, "req_test_late")]

    assert early["revisions"][0]["invoice"]["state"] == "uncertain"
    assert "INV-000001 or the one after it" in render_request(early)
    assert late["revisions"][0]["invoice"]["number"] == "INV-000002"
    for number in ("INV-000001", "INV-000002"):
        line = await explain_invoice_line(database, number, 1)
        assert (line["agrees"], line["sums"], line["records"]) == (None, None, [])
        page = render_line_explanation(line)
        assert "Which records it billed is not told" in page
        assert "Every figure" not in page


async def test_lines_and_records_tell_the_same_story(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Every revision is on exactly the line that it names, and every line is the sum of its records.

    Whatever is recorded, adjusted and invoiced in whatever order, by two writers.
    """
    await ten_percent(database, clock)
    other = Writer(database, clock)
    await other.start()
    ids = await live_through_five_months(database, clock, [writer, other])
    await other.close()

    named = [each for request_id in ids for each in await named_lines(database, request_id)]
    told: list[Place] = []
    for number in sorted({number for number, *_ in named}):
        invoice = await explain_invoice(database, number)
        assert invoice["agrees"]
        for line in invoice["lines"]:
            told += await told_records(database, number, line)

    assert sorted(told) == sorted(named)
    assert len({number for number, *_ in told}) >= 3


async def live_through_five_months(
    database: Database, clock: FixedClock, writers: list[Writer]
) -> list[str]:
    """Record, adjust and invoice at random; give the ids of the requests."""
    chance = random.Random(7)
    months = ("2025-05", "2025-06", "2025-07", "2025-08", "2025-09")
    ids: list[str] = []
    for number, month in enumerate(months, 1):
        clock.instant = datetime(2025, 5 + number, 1, 6, tzinfo=UTC)
        for _ in range(30):
            ids.append(f"req_test_{len(ids)}")
            await record_at_random(chance.choice(writers), chance, ids[-1], months[:number])
        for target in chance.sample(ids, 8):
            await adjust_at_random(database, clock, chance, target)
        if month != "2025-07":  # its usage waits for the next
            await run(database, clock, month)
    return ids


async def record_at_random(
    writer: Writer, chance: random.Random, request_id: str, months: tuple[str, ...]
) -> None:
    """Record a request of one of some months."""
    fields = {
        "customer_id": "acme",
        "model": MODELS[chance.choice(["llama", "mixtral", "mystery"])],
        "provider": "fireworks",
        "timestamp": f"{chance.choice(months)}-{chance.randint(1, 28):02}T05:00:00Z",
        "input_tokens": chance.randint(1, 50_000),
        "provider_key_type": chance.choice(["managed", "byok"]),
    }
    await writer.submit([statement({"request_id": request_id, **fields})])


async def adjust_at_random(
    database: Database, clock: FixedClock, chance: random.Random, request_id: str
) -> None:
    """Void or correct a request that may have been corrected before."""
    if (await explain_request(database, request_id))["status"] == "voided":
        return
    key, now = (
        f"{request_id}-{chance.random()}",
        StatedUsage(input_tokens=chance.randint(1, 50_000)),
    )
    adjustment = chance.choice(
        [Adjustment("void", "why", key), Adjustment("correction", "why", key, now)]
    )
    await adjust_request(database, clock, "cli", request_id, adjustment)


async def named_lines(database: Database, request_id: str) -> list[Place]:
    """The lines that the revisions of a request say they are on."""
    explained = await explain_request(database, request_id)
    assert explained["agrees"], explained
    states = {revision["invoice"]["state"] for revision in explained["revisions"]}
    assert states <= {"invoiced", "came_to_nothing", "not_invoiced"}
    return [
        (each["invoice"]["number"], each["invoice"]["line"], request_id, each["revision"])
        for each in explained["revisions"]
        if each["invoice"]["state"] == "invoiced"
    ]


async def told_records(database: Database, number: str, line: dict[str, Any]) -> list[Place]:
    """The records that a line says it billed; they sum up to it."""
    explained = await explain_invoice_line(database, number, line["line"], most_records=1000)
    assert explained["agrees"], explained
    for figure in ("cost", "fee", "exact"):
        parts = (each[figure] for each in explained["records"])
        assert sum(Decimal(part or 0) for part in parts) == Decimal(line[figure])
    return [
        (number, line["line"], each["request_id"], each["revision"])
        for each in explained["records"]
    ]
