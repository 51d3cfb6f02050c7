"""What tiered meters counted: SQL counts as Python does, damage is found, repaired, and billed."""

import pytest

from ledger.clock import FixedClock
from ledger.core.instants import parse_month
from ledger.services.customers import set_customer
from ledger.services.intake.writer import Writer
from ledger.services.invoices import run_invoices
from ledger.services.limits import LimitRequest, list_alerts, set_limit
from ledger.services.meters import set_meter
from ledger.services.proof.rebuilding import rebuild
from ledger.store.database import Database
from ledger.store.log import read_cut
from ledger.store.meter_usage import BEGINNING, read_usage
from pricing import MeterUnit, Unit
from tests.store.rebuild_damage import USAGE, repaired, statements, whole
from tests.store.tampering import offenders, tamper

TIERS = [{"start": 0, "rate": "5.00"}, {"start": 1_000_000, "rate": "3.00"}]


async def tiered(database: Database, clock: FixedClock, **terms: str) -> None:
    """Charge the customer `late` 5.00 for the first million tokens and 3.00 from there on."""
    form = {"kind": "graduated", "unit": "tokens_1m", "tiers": TIERS, **terms}
    await set_meter(database, clock, "test", "steps", form)
    await set_customer(database, clock, "test", "late", "steps")


async def test_sql_counts_what_python_counts(database: Database) -> None:
    """Every unit of usage by every unit of meters, in the rule and in the sum of an event."""
    pairs = [(meter_unit, unit) for meter_unit in MeterUnit for unit in Unit]
    units = (
        '{"input_seconds": [-5, null], "reasoning_tokens": [7, 1], "output_characters": [11, 2]}'
    )
    async with database.connection() as connection:
        rows = await connection.fetch(
            """SELECT meter_unit, unit, is_metered(meter_unit, unit) AS counts
            FROM unnest($1::text[], $2::text[]) AS pair (meter_unit, unit)""",
            [meter_unit.value for meter_unit, _ in pairs],
            [unit.value for _, unit in pairs],
        )
        sums = await connection.fetch(
            "SELECT unit, metered_quantity(unit, 3, 100, $2::jsonb) FROM unnest($1::text[]) AS unit",
            [unit.value for unit in MeterUnit],
            units,
        )
    found = {(row["meter_unit"], row["unit"]) for row in rows if row["counts"]}
    assert found == {
        (meter_unit.value, unit.value)
        for meter_unit, unit in pairs
        if unit.value in meter_unit.units
    }
    assert {unit: int(quantity) for unit, quantity in sums} == {
        "tokens_1m": 107, "characters_1m": 11, "minutes": -5, "requests": 3,
    }  # fmt: skip


@pytest.mark.usefixtures("ledger")
async def test_usage_now_is_usage_at_the_last_cut(database: Database) -> None:
    """Two queries, one answer where nothing came after the cut: from the beginning on, and in a month."""
    may = parse_month("2026-05")
    async with database.connection() as connection:
        cut = await read_cut(connection)
        for start_at in (BEGINNING, may.start_at):
            span = (start_at, may.end_at)
            now = await read_usage(connection, None, span)
            assert now
            assert await read_usage(connection, None, span, cut) == now


async def test_a_wrong_quantity_is_found(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """With the meter, its version and the month. Its fee does not follow from the log then."""
    await tamper(ledger, f"UPDATE meter_usage SET quantity = quantity - 1 {USAGE}")
    found = await offenders(database, clock)
    [wrong] = found["rollups_equal_meter_usage"]
    assert (wrong["customer_id"], wrong["meter"], wrong["version"]) == ("hooli", "month", 1)
    assert int(wrong["rollups"]) == int(wrong["meter_usage"]) + 1
    assert set(found) == {"rollups_equal_meter_usage", "billed_and_uninvoiced_equal_events"}
    [unbilled] = found["billed_and_uninvoiced_equal_events"]
    assert (unbilled["meter"], unbilled["model"]) == ("month", None)
    assert unbilled["used_minus_billed"]["fee"] == "-0.000003000000"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("UPDATE invoice_line SET meter_slug = 'other'", "the invoice differs from its decision"),
        (
            "UPDATE invoice_line SET fee_pico = fee_pico + 1",
            "the invoice differs from its decision",
        ),
    ],
)
async def test_a_changed_line_of_a_fee_is_found(
    ledger: str, database: Database, clock: FixedClock, change: str, fault: str
) -> None:
    """The meter belongs to what an invoice says, as the amounts do."""
    await tamper(ledger, f"{change} WHERE meter_slug = 'lifetime'")
    found = await offenders(database, clock)
    assert {each["fault"] for each in found["invoices_equal_decisions"]} == {fault}
    assert {each["customer_id"] for each in found["billed_and_uninvoiced_equal_events"]} == {
        "stark"
    }


@pytest.mark.parametrize(
    "change",
    [
        """UPDATE meter_version SET terms = jsonb_set(terms, '{tiers,1,1}', '"2.99"')""",
        """UPDATE meter_version SET terms = jsonb_set(terms, '{period}', '"month"')""",
    ],
)
async def test_changed_tiers_are_found(
    ledger: str, database: Database, clock: FixedClock, change: str
) -> None:
    """The meter is no longer the one that was decided on, nor the one that events were recorded with."""
    await tamper(ledger, f"{change} WHERE slug = 'lifetime'")
    found = await offenders(database, clock)
    assert [each["subject"] for each in found["settings_equal_decisions"]] == ["lifetime"]
    assert "digests_match" in found


async def test_a_lost_fee_is_billed_by_the_next_run(
    database: Database, clock: FixedClock, writer: Writer, database_url: str
) -> None:
    """A run that saw no usage of the meter settled the month; the next one bills what was missing.

    | usage        | run of April, quantities lost | run of May |
    | 2 x 1M, 0.90 | 1.80                          | 5 + 3      |
    """
    await tiered(database, clock)
    await writer.submit(statements(range(2), timestamp="2026-04-15T10:00:00Z"))
    await tamper(database_url, "TRUNCATE meter_usage")
    april = await run_invoices(database, clock, "test", parse_month("2026-04"), currency="USD")
    assert april["total"] == "1.80"

    assert repaired(await rebuild(database, clock)) == {"meter_usage": 1}

    may = await run_invoices(database, clock, "test", parse_month("2026-05"), currency="USD")
    assert may["total"] == "8.00"
    await whole(database, clock)


async def test_a_threshold_that_a_lost_fee_would_have_crossed_is_told(
    database: Database, clock: FixedClock, writer: Writer, database_url: str
) -> None:
    """9.80 were spent, 8.00 of it by tiers: nobody was told while those were not seen."""
    await tiered(database, clock)
    await writer.submit(statements(range(2)))
    await tamper(database_url, "TRUNCATE meter_usage")
    request = LimitRequest("late", "9.80", window="month", limit_id="cap", thresholds=("1",))
    await set_limit(database, clock, "test", request)
    assert await list_alerts(database, None, 10) == []
    assert set(await offenders(database, clock)) == {"rollups_equal_meter_usage"}

    assert (await rebuild(database, clock))["alerts"] == 1

    [alert] = await list_alerts(database, None, 10)
    assert (alert["limit_id"], alert["spend"]) == ("cap", "9.800000000000")
    await whole(database, clock)
