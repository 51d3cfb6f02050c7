"""What `bench spend` asks, of one customer after the other where it asks of one, and the floor of each."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from ledger.bench.load import Prepared, prepare_question
from ledger.bench.patterns import Past
from ledger.bench.records import customer_id
from ledger.store.database import Connection

MONTH, YEAR = timedelta(days=30), timedelta(days=365)
_SUMS = """
SELECT sum(requests), sum(unrated), sum(uncached_input_tokens), sum(cached_input_tokens), sum(output_tokens),
    sum(input_pico + cached_input_pico + output_pico + other_pico), sum(fee_pico)
FROM rollup_hour WHERE hour_at >= $1 AND hour_at < $2
"""
_SUMS_OF_ONE = f"{_SUMS} AND customer = $3"
_CUSTOMER = "SELECT customer FROM customer WHERE customer_id = $1"


class Question(msgspec.Struct, frozen=True):
    """A question about the last month or year of a past."""

    text: str
    span: timedelta
    group_by: str | None
    of_one: bool

    def requests(self, past: Past, admin_key: str) -> Iterator[Prepared]:
        """It again and again, of every customer in turn if it is of one."""
        start_at = past.end_at - self.span
        path = f"/v1/spend?from={_instant(start_at)}&to={_instant(past.end_at)}"
        path += f"&group_by={self.group_by}" if self.group_by else ""
        for number in count():
            about = f"&customer_id={_customer(past, number)}" if self.of_one else ""
            yield prepare_question(path + about, admin_key), 1

    async def sum_up(self, connection: Connection, past: Past, number: int) -> float:
        """How many seconds it takes the database to add up what it is about, in one group."""
        span: tuple[Any, ...] = past.end_at - self.span, past.end_at
        sums = _SUMS
        if self.of_one:
            span = *span, await connection.fetchval(_CUSTOMER, _customer(past, number))
            sums = _SUMS_OF_ONE
        started_at = time.perf_counter()
        await connection.fetchrow(sums, *span)
        return time.perf_counter() - started_at


QUESTIONS = (
    Question("a month of one customer", MONTH, None, of_one=True),
    Question("a month by model of one customer", MONTH, "model", of_one=True),
    Question("a year by day of one customer", YEAR, "day", of_one=True),
    Question("a month by model of all", MONTH, "model", of_one=False),
    Question("a year by day of all", YEAR, "day", of_one=False),
)


def _customer(past: Past, number: int) -> str:
    return customer_id(number % past.mix.customers)


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
