"""`verify` accepts what the product writes and finds whatever else is written, and says where."""

from decimal import Decimal
from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from ledger.demo.sample import sample_lines
from ledger.services.intake.writer import Writer
from ledger.services.proof.verification import verify
from ledger.store.database import Database
from tests.store.rebuild_damage import DAY, DAY_OF_ONE, DAY_UNIT, LANE, LANE_UNIT
from tests.store.tampering import ONE_EVENT, ONE_LINE, at, offenders, tamper, tampering


async def test_the_sample_is_whole(ledger: str, database: Database, clock: FixedClock) -> None:
    """Every check holds; what is odd about the sample shows as warnings."""
    seen: list[str] = []

    report = await verify(database, clock, progress=seen.append)

    assert ledger
    assert report["ok"], [check for check in report["checks"] if not check["ok"]]
    assert set(seen) <= {check["name"] for check in report["checks"]}
    assert report["as_of"].startswith("2026-11-20T12:00:00Z~1-")
    warnings = {check["name"]: check for check in report["checks"] if check.get("warning")}
    assert {name: check["count"] for name, check in warnings.items()} == {
        "unrated": 56,
        "unmetered": 2,
        "quarantined": 0,  # nobody kept what was refused here
        "ids_under_two_customers": 0,
        "unsealed": 0,
    }
    assert {offender["kind"] for offender in warnings["unmetered"]["offenders"]} == {
        "pending",
        "error",
    }


async def test_an_empty_ledger_is_whole(database: Database, clock: FixedClock) -> None:
    """Nothing disagrees with nothing."""
    report = await verify(database, clock)

    assert report["ok"]
    assert not any(check["count"] for check in report["checks"])


async def test_a_changed_amount_is_found(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """Neither the hour's sum nor the rate gives that amount; both say which event it is."""
    await tamper(ledger, at(ONE_EVENT, "UPDATE usage_event SET input_pico = input_pico + 1"))

    found = await offenders(database, clock)

    assert set(found) == {"digests_match", "events_equal_rollups", "rates_reproduce_amounts"}
    [sums], [event] = found["events_equal_rollups"], found["rates_reproduce_amounts"]
    assert sums["customer_id"] == event["customer_id"] == "acme"
    assert set(sums["differences"]) == {"input_pico"}
    figures = sums["differences"]["input_pico"]
    assert int(figures["events"]) == int(figures["rollup"]) + 1
    assert sums["provider"] == "fireworks"
    assert sums["hour"].endswith(":00:00Z")
    assert event["request_id"].startswith("req_")
    assert event["stored"]["input"] != event["expected"]["input"]
    assert event["stored"]["fee"] == event["expected"]["fee"]


async def test_a_changed_token_count_is_found(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """It neither sums up nor costs what it says."""
    await tamper(ledger, at(ONE_EVENT, "UPDATE usage_event SET output_tokens = output_tokens + 1"))

    found = await offenders(database, clock)

    assert set(found) == {"digests_match", "events_equal_rollups", "rates_reproduce_amounts"}
    assert set(found["events_equal_rollups"][0]["differences"]) == {"output_tokens"}


async def test_a_deleted_event_is_found(ledger: str, database: Database, clock: FixedClock) -> None:
    """The hour lacks it, and so does its batch."""
    await tamper(ledger, at(ONE_EVENT, "DELETE FROM usage_event"))

    found = await offenders(database, clock)

    assert set(found) == {
        "batches_whole",
        "digests_match",
        "events_equal_rollups",
        "texts_match_digests",
    }
    [batch] = found["batches_whole"]
    assert batch["lane"] == 1
    assert batch["events"]["log"] == batch["events"]["batch"] - 1


async def test_an_added_rollup_row_is_found(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """An hour without events that says it has some; the month would never be billed."""
    await tamper(
        ledger,
        """INSERT INTO rollup_hour SELECT customer, '2026-09-01 00:00Z', 1, 1, 0, 0, 0, 0, 5, 0, 0, 0, 0
        FROM customer WHERE customer_id = 'globex'""",
    )

    found = await offenders(database, clock)

    assert set(found) == {
        "events_equal_rollups",
        "rollups_equal_lane_rollups",
        "rollups_equal_day_rollups",
        "billed_and_uninvoiced_equal_events",
    }
    [hour], [month] = found["events_equal_rollups"], found["billed_and_uninvoiced_equal_events"]
    assert (hour["customer_id"], hour["hour"]) == ("globex", "2026-09-01T00:00:00Z")
    assert hour["differences"]["input_pico"] == {"events": None, "rollup": "5"}
    assert (month["customer_id"], month["month"]) == ("globex", "2026-09-01")
    assert month["used_minus_billed"]["exact"] == "0.000000000005"


async def test_a_changed_unit_is_found(ledger: str, database: Database, clock: FixedClock) -> None:
    """Seconds of audio are summed up like tokens."""
    await tamper(
        ledger,
        """UPDATE rollup_hour_unit SET quantity = quantity + 1 WHERE (customer, hour_at) =
        (SELECT customer, hour_at FROM rollup_hour_unit ORDER BY hour_at LIMIT 1)""",
    )

    found = await offenders(database, clock)

    assert set(found) == {
        "event_units_equal_rollups",
        "rollups_equal_lane_rollups",
        "rollups_equal_day_rollups",
    }
    [unit] = found["event_units_equal_rollups"]
    assert (unit["customer_id"], unit["unit"]) == ("wonka", "input_seconds")


@pytest.mark.parametrize(
    ("damage", "check", "said"),
    [
        (f"UPDATE rollup_lane_hour SET fee_pico = fee_pico + 1 {LANE}", "lane", {"unit": None}),
        (f"DELETE FROM rollup_lane_hour {LANE}", "lane", {"unit": None}),
        (
            f"UPDATE rollup_lane_hour_unit SET pico = 7 {LANE_UNIT}",
            "lane",
            {"unit": "input_seconds"},
        ),
        (f"UPDATE rollup_day SET cached_input_pico = 5 {DAY}", "day", {"customer_id": None}),
        (f"DELETE FROM rollup_day {DAY_OF_ONE}", "day", {"unit": None}),
        (f"DELETE FROM rollup_day_unit {DAY_UNIT}", "day", {"unit": "input_seconds"}),
        (
            "INSERT INTO rollup_day VALUES (1, '2026-09-01', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
            "day",
            {"day": "2026-09-01"},
        ),
    ],
)
async def test_sums_of_fewer_rows_are_compared_with_those_of_more(
    ledger: str,
    database: Database,
    clock: FixedClock,
    damage: str,
    check: str,
    said: dict[str, Any],
) -> None:
    """One row of a lane or of a day is wrong, and named; all else holds."""
    await tamper(ledger, damage)

    found = await offenders(database, clock)

    assert set(found) == {f"rollups_equal_{check}_rollups"}
    [row] = found[f"rollups_equal_{check}_rollups"]
    assert {name: row[name] for name in said} == said


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE limit_window SET spend_pico = spend_pico - 1 WHERE limit_id = 'acme-total'",
        "DELETE FROM limit_window WHERE limit_id = 'acme-total'",
    ],
)
async def test_a_wrong_limit_window_is_found(
    ledger: str, database: Database, clock: FixedClock, statement: str
) -> None:
    """A window that holds another sum, or is not there, is told with both sums."""
    await tamper(ledger, statement)

    found = await offenders(database, clock)

    assert set(found) == {"rollups_equal_limit_windows"}
    [window] = found["rollups_equal_limit_windows"]
    assert (window["customer_id"], window["limit_id"]) == ("acme", "acme-total")
    assert window["window"] != window["rollups"]


async def test_a_removed_alert_is_found(ledger: str, database: Database, clock: FixedClock) -> None:
    """The threshold is reached, and the decision to raise the alert still stands."""
    await tamper(ledger, "DELETE FROM alert WHERE limit_id = 'acme-total' AND threshold = '0.8'")

    found = await offenders(database, clock)

    assert set(found) == {"alerts_complete"}
    assert {(each["limit_id"], each["threshold"]) for each in found["alerts_complete"]} == {
        ("acme-total", "0.8")
    }
    assert {each["fault"] for each in found["alerts_complete"]} == {
        "no alert",
        "a decision without its alert",
    }


async def test_a_changed_invoice_line_is_found(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """It no longer matches usage, total or decision."""
    await tamper(
        ledger,
        at(ONE_LINE, "UPDATE invoice_line SET amount = amount + 1, fee_pico = fee_pico + 7"),
    )

    found = await offenders(database, clock)

    assert set(found) == {
        "billed_and_uninvoiced_equal_events",
        "invoices_add_up",
        "invoices_equal_decisions",
    }
    [due], [sums] = found["billed_and_uninvoiced_equal_events"], found["invoices_add_up"]
    assert due["used_minus_billed"]["fee"] == "-0.000000000007"
    assert sums["number"] == found["invoices_equal_decisions"][0]["number"] == "INV-000001"
    assert Decimal(sums["lines"]["amount"]) == Decimal(sums["total"]) + 1


async def test_a_gap_in_the_numbers_is_found(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """A number that no invoice has, and one that the series never gave."""
    await tamper(
        ledger,
        "UPDATE invoice SET number = 'INV-000099' WHERE number = 'INV-000002'",
        "UPDATE invoice_line SET number = 'INV-000099' WHERE number = 'INV-000002'",
    )

    found = await offenders(database, clock)

    assert set(found) == {"invoice_numbers_gapless", "invoices_equal_decisions"}
    assert found["invoice_numbers_gapless"] == [
        {"series": "INV", "number": 2, "invoices": 0, "is_within_series": True},
        {"series": "INV", "number": 99, "invoices": 1, "is_within_series": False},
    ]


async def test_a_lost_batch_row_is_found(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """Its facts have no batch, and the next batch follows none."""
    async with tampering(ledger) as connection:
        lane = await connection.fetchval("SELECT max(lane) FROM batch WHERE batch >= 2")
        await connection.execute("DELETE FROM batch WHERE lane = $1 AND batch = 1", lane)

    found = await offenders(database, clock)

    assert set(found) == {"batches_whole", "digests_match"}
    assert [(each["lane"], each["batch"]) for each in found["batches_whole"]] == [
        (lane, 1),
        (lane, 2),
    ]


async def test_revisions_must_follow_and_negate(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """A reversal that takes back too little, and a replacement without a reversal."""
    async with tampering(ledger) as connection:
        for sign, revision, kind, fewer in ((-1, 2, "reversal", 1), (1, 5, "replacement", 0)):
            await connection.execute(
                f"""INSERT INTO usage_event SELECT request_id, occurred_at, {sign} * uncached_input_tokens,
                {sign} * cached_input_tokens, {sign} * output_tokens - {sign * fewer}, {sign} * input_pico,
                {sign} * cached_input_pico, {sign} * output_pico, {sign} * other_pico, {sign} * fee_pico,
                batch, lane, customer, dimension, stated, '{kind}', {revision}, {sign}, 0, opaque_id,
                other_units, reported_cost FROM usage_event {ONE_EVENT}"""
            )

    found = await offenders(database, clock)

    assert {"revisions_whole", "batches_whole", "rates_reproduce_amounts"} <= set(found)
    assert [(each["revision"], each["fault"]) for each in found["revisions_whole"]] == [
        (2, "is not the negation of the revision before it"),
        (5, "has no revision before it"),
    ]


async def test_an_unrated_event_must_not_cost_anything(
    ledger: str, database: Database, clock: FixedClock
) -> None:
    """Money without a rate is an offence, even when the rollups agree."""
    await tamper(
        ledger,
        """UPDATE usage_event SET fee_pico = 0 WHERE (request_id, customer) =
        (SELECT request_id, customer FROM usage_event WHERE unrated = 1 ORDER BY request_id LIMIT 1)""",
    )

    found = await offenders(database, clock)

    assert set(found) == {"digests_match", "rates_reproduce_amounts"}
    assert found["rates_reproduce_amounts"][0]["expected"]["fee"] is None


async def test_a_month_that_no_run_would_look_at_is_found(
    database: Database, clock: FixedClock, writer: Writer, database_url: str
) -> None:
    """Usage that is not billed must be marked, or it never is."""
    records = (read_statement(line.rstrip(), clock.now()) for line in sample_lines())
    await writer.submit([record for record in records if isinstance(record, Statement)])
    await tamper(
        database_url,
        """DELETE FROM touched_period WHERE period_start = '2026-04-01' AND customer =
        (SELECT customer FROM customer WHERE customer_id = 'corner-shop')""",
    )

    found = await offenders(database, clock)

    assert set(found) == {"billed_and_uninvoiced_equal_events"}
    assert {
        (each["customer_id"], each["month"]) for each in found["billed_and_uninvoiced_equal_events"]
    } == {("corner-shop", "2026-04-01")}
