"""How much a question reads: rows and pages of the very queries, as PostgreSQL counts them.

A ledger of sums alone, without a single event: 6 customers, 5 models, 100 days.

| sums              | rows                                  |
| rollup_hour       | 6 x 5 x 2,412 hours                    |
| rollup_lane_hour  | 2 lanes x 5 x 2,412 hours              |
| rollup_day        | 7 (with all together) x 5 x 100 days   |
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.core.instants import Span
from ledger.core.spend import SpendQuery, spend_query
from ledger.services.condensing import condense
from ledger.store.database import Connection, Database
from ledger.store.spend import read_spend
from tests.conftest import NOW
from tests.store.tampering import tamper

CUSTOMERS, MODELS, LANES, DAYS = 6, 5, 2, 100
MIDNIGHT = NOW.replace(hour=0)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SPARE = 100  # rows of customers, dimensions, groups: what a plan carries beside the sums
SEED = f"""
INSERT INTO ledger.customer (customer_id) SELECT 'c' || n FROM generate_series(1, {CUSTOMERS}) AS n;
INSERT INTO ledger.dimension (provider, model, key_type, is_batch)
SELECT 'p', 'm' || n, 'managed', false FROM generate_series(1, {MODELS}) AS n;
INSERT INTO ledger.rollup_hour
SELECT customer, hour_at, dimension, 1, 0, 10, 1, 5, 100, 10, 50, 0, 7
FROM ledger.customer, ledger.dimension, generate_series(
    timestamptz '{MIDNIGHT - DAYS * DAY}', '{NOW - HOUR}', interval '1 hour') AS hour_at
WHERE customer <> 0
ORDER BY customer, hour_at, dimension;
INSERT INTO ledger.rollup_lane_hour
SELECT lane, hour_at, dimension, share, 0, 10 * share, share, 5 * share, 100 * share, 10 * share, 50 * share,
    0, 7 * share
FROM (VALUES ({CUSTOMERS // LANES})) AS of_a_lane (share), generate_series(1, {LANES}) AS lane,
    ledger.dimension, generate_series(
        timestamptz '{MIDNIGHT - DAYS * DAY}', '{NOW - HOUR}', interval '1 hour') AS hour_at
ORDER BY hour_at, dimension, lane;
"""


class Counting:
    """A connection that counts what the queries of a question read, in place of answering them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.rows: dict[str, int] = {}  # by relation, those that were filtered away too
        self.pages = 0

    async def fetchrow(self, sql: str) -> Any:
        return await self._connection.fetchrow(sql)

    async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
        if sql.startswith("SELECT"):  # names of customers
            rows: list[Any] = await self._connection.fetch(sql, *arguments)
            return rows
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}"
        [(text,)] = await self._connection.fetch(explain, *arguments)
        top = json.loads(text)[0]["Plan"]
        self.pages += top["Shared Hit Blocks"] + top["Shared Read Blocks"]
        for node in nodes(top):
            if name := node.get("Relation Name") or node.get("Function Name"):
                read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
                rows_read = round(read * node["Actual Loops"])
                if node["Actual Loops"]:
                    self.rows[name] = self.rows.get(name, 0) + rows_read
        return []


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def counted(database: Database, question: SpendQuery) -> Counting:
    async with database.snapshot() as connection:
        counting = Counting(connection)
        await read_spend(counting, question, {})
    return counting


@pytest.fixture
async def seeded(database: Database, clock: FixedClock, database_url: str) -> Database:
    """The ledger, condensed up to today."""
    await tamper(database_url, SEED)
    await condense(database, clock)
    await tamper(database_url, "ANALYZE")
    return database


def month(by: tuple[str, ...] = (), *customers: str, shift: timedelta = 0 * DAY) -> SpendQuery:
    """Thirty days that are over."""
    end = MIDNIGHT - 10 * DAY + shift
    return spend_query(end - 30 * DAY, end, by, customers=customers)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        # Days, of who is asked for, and nothing else.
        (month(("model",), "c3"), {"rollup_day": 30 * MODELS}),
        (month((), "c3", "c4"), {"rollup_day": 2 * 30 * MODELS}),
        (month(("day",)), {"rollup_day": 30 * MODELS}),
        (month(("customer",)), {"rollup_day": CUSTOMERS * 30 * MODELS}),
        # Two hours before the first day, and twenty-two of the last.
        (
            month((), "c3", shift=-2 * HOUR),
            {"rollup_day": 29 * MODELS, "rollup_hour": 24 * MODELS},
        ),
        (
            month(shift=-2 * HOUR),
            {"rollup_day": 29 * MODELS, "rollup_lane_hour": 24 * MODELS * LANES},
        ),
        # By hours there are no days.
        (month(("hour",), "c3"), {"rollup_hour": 30 * 24 * MODELS}),
        (month(("hour",)), {"rollup_lane_hour": 30 * 24 * MODELS * LANES}),
        # Up to now: today has hours alone.
        (
            spend_query(MIDNIGHT - 99 * DAY, MIDNIGHT + DAY, ("month",), customers=("c3",)),
            {"rollup_day": 99 * MODELS, "rollup_hour": 12 * MODELS},
        ),
        (
            spend_query(MIDNIGHT - 99 * DAY, MIDNIGHT + DAY, ("month",)),
            {"rollup_day": 99 * MODELS, "rollup_lane_hour": 12 * MODELS * LANES},
        ),
    ],
)
async def test_an_answer_reads_the_coarsest_sums_once(
    seeded: Database, question: SpendQuery, expected: dict[str, int]
) -> None:
    """No row more than the stretch asked for has, and never the log."""
    found = await counted(seeded, question)

    sums = {name: rows for name, rows in found.rows.items() if rows and name.startswith("rollup")}
    assert sums == expected
    assert not any(name.startswith(("usage_event", "spend_of_log")) for name in found.rows)
    assert sum(found.rows.values()) <= sum(expected.values()) + SPARE
    assert found.pages <= 20 + sum(expected.values()) // 10


async def test_a_day_that_moved_costs_its_own_hours_alone(
    seeded: Database, database_url: str
) -> None:
    day = (MIDNIGHT - 20 * DAY).date()
    await tamper(
        database_url,
        f"""INSERT INTO touched_day SELECT c, '{day}', 1
        FROM customer CROSS JOIN LATERAL (VALUES (customer)) AS t (c) WHERE customer_id IN ('c3', 'c4')""",
        f"INSERT INTO touched_day VALUES (0, '{day}', 1), (0, '{day}', 2)",
    )
    one = await counted(seeded, month((), "c3"))
    everybody = await counted(seeded, month())
    assert one.rows["rollup_hour"] == 24 * MODELS
    assert everybody.rows["rollup_lane_hour"] == 24 * MODELS * LANES
    assert "rollup_hour" not in everybody.rows
    for found in (one, everybody):
        # Its row of the day is looked at and left out.
        assert found.rows["rollup_day"] <= 30 * MODELS


async def test_an_odd_offset_reads_the_log_of_its_edges(seeded: Database) -> None:
    """That is left to a function, which nobody else's question is planned with."""
    span = month().span
    edge = timedelta(minutes=17)
    odd = SpendQuery(Span(span.start_at - edge, span.hours_from, span.hours_to, span.end_at))
    found = await counted(seeded, odd)
    assert "spend_of_log" in found.rows
    assert found.rows["rollup_day"] == 30 * MODELS
