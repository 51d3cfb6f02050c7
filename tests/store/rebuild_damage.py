"""A ledger with everything in it, and ways to damage its projections."""

import json
from datetime import timedelta
from typing import Any

from ledger.clock import FixedClock
from ledger.core.instants import parse_month
from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from ledger.demo.sample import sample_lines
from ledger.services.condensing import condense
from ledger.services.customers import set_customer
from ledger.services.intake.writer import Writer
from ledger.services.invoices import run_invoices
from ledger.services.keys import KeyRequest, create_key, revoke_key
from ledger.services.limits import LimitRequest, set_limit
from ledger.services.meters import set_meter
from ledger.services.proof.rebuilding import rebuild
from ledger.services.proof.verification import verify
from ledger.store.database import Database
from tests.conftest import NOW

YEAR = timedelta(days=365)
MODEL = "accounts/fireworks/models/llama-v3p3-70b-instruct"
LIMITS = (
    LimitRequest("acme", "1.00", window="month", limit_id="acme-month"),
    LimitRequest(
        "acme", "0.50", window="day", limit_id="acme-day", thresholds=("0.25", "1", "2.5")
    ),
    LimitRequest("wonka", "0.000123", window="week", limit_id="wonka-week", action="block"),
)


async def make_ledger(database: Database, clock: FixedClock, writer: Writer) -> None:
    """The bundled sample, condensed: meters, limits of each kind, alerts, keys, two months of invoices."""
    await set_meter(database, clock, "test", "ten", {"percentage": "10"})
    await set_meter(database, clock, "test", "five", {"percentage": "5"})
    await set_customer(database, clock, "test", "acme", "five")
    await set_customer(database, clock, "test", "acme", "ten")
    await set_customer(database, clock, "test", "wonka", "ten")
    for customer, period in (("hooli", "month"), ("stark", "lifetime")):
        tiers = [{"start": 0, "rate": "5.00"}, {"start": 100_000, "rate": "3.00"}]
        terms = {"kind": "graduated", "unit": "tokens_1m", "tiers": tiers, "period": period}
        await set_meter(database, clock, "test", period, terms)
        await set_customer(database, clock, "test", customer, period)
    read = [read_statement(line.rstrip(), clock.now()) for line in sample_lines()]
    sample = [each for each in read if isinstance(each, Statement)]
    for limit in LIMITS:
        await set_limit(database, clock, "test", limit)
    middle = len(sample) // 2
    await writer.submit(sample[:middle])
    await set_limit(
        database, clock, "test", LimitRequest("acme", "1.00", window="total", limit_id="acme-total")
    )
    await writer.submit(sample[middle:] + statements(range(3), customer="acme"))
    await create_key(
        database, clock, "test", KeyRequest("gateway", ("ingest",), "acme", NOW + YEAR)
    )
    leaked = await create_key(database, clock, "test", KeyRequest("leaked", ("read", "finance")))
    await revoke_key(database, clock, "test", leaked["key_id"], "left in a log")
    for month in ("2026-04", "2026-05"):
        await run_invoices(database, clock, "test", parse_month(month), currency="USD")
    await condense(database, clock)


def statements(numbers: range, customer: str = "late", **fields: Any) -> list[Statement]:
    """Records of a million output tokens each, 0.90 USD, at noon of the clock."""
    texts = [
        {
            "request_id": f"{customer}-{number}",
            "customer_id": customer,
            "model": MODEL,
            "output_tokens": 1_000_000,
            "timestamp": NOW.isoformat(),
            **fields,
        }
        for number in numbers
    ]
    read = [read_statement(json.dumps(text).encode(), NOW) for text in texts]
    return [each for each in read if isinstance(each, Statement)]


async def whole(database: Database, clock: FixedClock) -> None:
    """Every check of `verify` holds, and a rebuild has nothing to do."""
    report = await verify(database, clock)
    assert report["ok"], [check for check in report["checks"] if not check["ok"]]
    assert repaired(await rebuild(database, clock)) == {}


def repaired(result: dict[str, Any]) -> dict[str, int]:
    """How many keys of which projection were repaired; what was not was identical."""
    for each in result["projections"]:
        assert each["identical"] == (each["before"] == each["after"]) == ("repaired" not in each)
    return {each["name"]: each["repaired"] for each in result["projections"] if "repaired" in each}


def first_of(table: str, keys: str) -> str:
    """The condition that one row of a table fulfils."""
    return f" WHERE ({keys}) = (SELECT {keys} FROM {table} ORDER BY {keys} LIMIT 1)"


ROLLUP = first_of("rollup_hour", "customer, hour_at, dimension")
UNIT = first_of("rollup_hour_unit", "customer, hour_at, dimension, unit")
LANE = first_of("rollup_lane_hour", "hour_at, dimension, lane")
LANE_UNIT = first_of("rollup_lane_hour_unit", "hour_at, dimension, unit, lane")
DAY = first_of("rollup_day", "customer, day_on, dimension")
DAY_OF_ONE = first_of("rollup_day", "-customer, day_on, dimension")
DAY_UNIT = first_of("rollup_day_unit", "customer, day_on, dimension, unit")
USAGE = first_of("meter_usage", "customer, meter_version, period_start")
SETTING = first_of("customer_setting", "customer")
WINDOW = first_of("limit_window", "customer, limit_id, window_start")
ALERT = first_of("alert", "alert_id")
INVOICE = first_of("invoice", "customer, number")
LINE = first_of("invoice_line", "customer, number, line")
AT = "'2026-09-01 00:00Z'"
# Each damages one key of a projection.
DAMAGES = {
    "rollup_hour": [
        f"UPDATE rollup_hour SET requests = requests + 1, fee_pico = fee_pico - 7 {ROLLUP}",
        f"UPDATE rollup_hour SET output_pico = output_pico + 0.5 {ROLLUP}",
        f"UPDATE rollup_hour SET output_pico = output_pico + 0.00 {ROLLUP}",
        f"DELETE FROM rollup_hour {ROLLUP}",
        f"INSERT INTO rollup_hour VALUES (1, {AT}, 1, 1, 0, 0, 0, 0, 5, 0, 0, 0, 0)",
        f"INSERT INTO rollup_hour VALUES (1, {AT}, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
    ],
    "rollup_hour_unit": [
        f"UPDATE rollup_hour_unit SET quantity = quantity + 1 {UNIT}",
        f"DELETE FROM rollup_hour_unit {UNIT}",
        f"INSERT INTO rollup_hour_unit VALUES (1, {AT}, 1, 'images', 3, 5)",
    ],
    "rollup_lane_hour": [
        f"UPDATE rollup_lane_hour SET requests = requests + 1, fee_pico = fee_pico - 7 {LANE}",
        f"UPDATE rollup_lane_hour SET output_pico = output_pico + 0.00 {LANE}",
        f"DELETE FROM rollup_lane_hour {LANE}",
        f"INSERT INTO rollup_lane_hour VALUES (1, {AT}, 1, 1, 0, 0, 0, 0, 5, 0, 0, 0, 0)",
        f"INSERT INTO rollup_lane_hour VALUES (9, {AT}, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
    ],
    "rollup_lane_hour_unit": [
        f"UPDATE rollup_lane_hour_unit SET quantity = quantity + 1 {LANE_UNIT}",
        f"DELETE FROM rollup_lane_hour_unit {LANE_UNIT}",
        f"INSERT INTO rollup_lane_hour_unit VALUES (1, {AT}, 1, 'images', 3, 5)",
    ],
    "rollup_day": [
        f"UPDATE rollup_day SET requests = requests + 1, fee_pico = fee_pico - 7 {DAY}",
        f"UPDATE rollup_day SET output_pico = output_pico + 0.5 {DAY_OF_ONE}",
        f"UPDATE rollup_day SET output_pico = output_pico + 0.00 {DAY}",
        f"DELETE FROM rollup_day {DAY_OF_ONE}",
        "INSERT INTO rollup_day VALUES (1, '2026-09-01', 1, 1, 0, 0, 0, 0, 5, 0, 0, 0, 0)",
    ],
    "rollup_day_unit": [
        f"UPDATE rollup_day_unit SET quantity = quantity + 1 {DAY_UNIT}",
        f"DELETE FROM rollup_day_unit {DAY_UNIT}",
        "INSERT INTO rollup_day_unit VALUES (1, '2026-09-01', 1, 'images', 3, 5)",
    ],
    "meter_usage": [
        f"UPDATE meter_usage SET quantity = quantity + 1 {USAGE}",
        f"UPDATE meter_usage SET quantity = quantity + 0.5 {USAGE}",
        f"DELETE FROM meter_usage {USAGE}",
        "INSERT INTO meter_usage SELECT customer, meter_version, '2020-01-01', 0 FROM meter_usage LIMIT 1",
        "INSERT INTO meter_usage SELECT customer, meter_version, '2020-01-01', 7 FROM meter_usage LIMIT 1",
    ],
    "customer_setting": [
        f"UPDATE customer_setting SET meter_slug = 'five' {SETTING}",
        f"DELETE FROM customer_setting {SETTING}",
        "INSERT INTO customer_setting SELECT customer, 'ten' FROM customer WHERE customer_id = 'globex'",
    ],
    "spend_limit": [
        "UPDATE spend_limit SET amount_pico = 7, thresholds = '{1}' WHERE limit_id = 'acme-day'",
        f"UPDATE spend_limit SET watched_from = {AT} WHERE limit_id = 'acme-day'",
        "DELETE FROM spend_limit WHERE limit_id = 'acme-day'",
        f"INSERT INTO spend_limit VALUES (1, 'made-up', 5, 'day', '{{1}}', 'alert', {AT})",
    ],
    "limit_window": [
        f"UPDATE limit_window SET spend_pico = spend_pico - 1 {WINDOW}",
        f"DELETE FROM limit_window {WINDOW}",
        f"INSERT INTO limit_window VALUES (1, 'acme-month', {AT}, 5)",
        f"INSERT INTO limit_window VALUES (1, 'made-up', {AT}, 0)",
    ],
    "alert": [
        f"UPDATE alert SET spend_pico = spend_pico + 1 {ALERT}",
        f"DELETE FROM alert {ALERT}",
        f"INSERT INTO alert VALUES (1, 'made-up', 'total', {AT}, 5, '1', 'alt_x', NULL, 5, now())",
    ],
    "api_key": [
        "UPDATE api_key SET scopes = '{admin}' WHERE name = 'gateway'",
        "UPDATE api_key SET revoked_at = NULL WHERE name = 'leaked'",
        "UPDATE api_key SET created_at = created_at + interval '1 second' WHERE name = 'gateway'",
        "DELETE FROM api_key WHERE name = 'leaked'",
        f"INSERT INTO api_key VALUES (0, 'lk_0000000000', '', 'made up', '{{admin}}', {AT}, 'nobody')",
    ],
    "number_series": [
        "UPDATE number_series SET last_number = last_number - 1",
        "INSERT INTO number_series VALUES ('XYZ', 5)",
    ],
    "invoice": [
        f"UPDATE invoice SET total = total + 0.00001 {INVOICE}",
        f"UPDATE invoice SET total = total::numeric(30, 4) {INVOICE}",
        f"DELETE FROM invoice {INVOICE}",
        f"""INSERT INTO invoice SELECT customer, 'INV-009999', status, '2020-01-01', '2020-02-01', currency,
        subtotal, tax, total, rounding_pico, issued_at, cut FROM invoice {INVOICE}""",
    ],
    "invoice_line": [
        f"UPDATE invoice_line SET exact_pico = exact_pico + 1 {LINE}",
        f"DELETE FROM invoice_line {LINE}",
        f"""INSERT INTO invoice_line SELECT customer, number, 99, provider, model, key_type, period_start,
        period_end, 0, 0, 0, 0, 1, 0, 1, 0 FROM invoice_line {LINE}""",
    ],
}
