"""`bench rating`: how fast usage becomes money on one core, beside a loop that only multiplies."""

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import click
import msgspec

from ledger.cli.running import json_option, print_json, print_table
from ledger.core.configuration import Configuration
from ledger.core.rating import rate_statement
from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from pricing import (
    STANDARD,
    ModelRates,
    PublishedTable,
    Quantities,
    RateBook,
    fee_pico,
    load_rate_table,
    percentage_meter,
    rate,
)

_CUSTOMER = 1
_METER = percentage_meter("bench", 1, "10")
_TABLE = """
provider: bench
version: "1"
effective_from: 2026-01-01T00:00:00Z
currency: USD
models:
  plain: {input: "0.90", cached_input: "0.45", output: "0.90"}
  tiers:
    tiers:
      - {start: 0, input: "1.25", cached_input: "0.125", output: "10.00"}
      - {start: 20001, input: "2.50", cached_input: "0.25", output: "15.00"}
"""
_RECORD = {
    "request_id": "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ",
    "customer_id": "acme",
    "provider": "bench",
    "timestamp": "2026-11-01T00:00:00Z",
}


class Shape(NamedTuple):
    """A kind of usage that is measured: which model is called, and whether reasoning is told apart."""

    name: str
    model: str
    has_reasoning: bool


SHAPES = (
    Shape("three kinds of tokens", "plain", has_reasoning=False),
    Shape("tokens by tiers", "tiers", has_reasoning=False),
    Shape("tokens and reasoning", "plain", has_reasoning=True),
)


class Point(msgspec.Struct, frozen=True):
    """Ratings a second: cost and fee by the pure function, the same with look-up, and the floor."""

    usage: str
    ratings_per_s: int
    with_lookup_per_s: int
    multiplying_per_s: int
    ratio: float


@click.command("rating")
@json_option
@click.option("--ratings", default=300_000, show_default=True)
def bench(*, as_json: bool, ratings: int) -> None:
    """Rate usage in memory, on one core; the floor multiplies the same numbers and adds them up."""
    table = load_rate_table(_TABLE, "bench", currency="USD")
    points = [_measure(shape, table.models[shape.model], ratings) for shape in SHAPES]
    if as_json:
        print_json({"bench": "rating", "points": points})
    else:
        headings = {field: field.replace("_", " ") for field in Point.__struct_fields__}
        print_table("rating", headings, [msgspec.to_builtins(point) for point in points])


def _measure(shape: Shape, model: ModelRates, ratings: int) -> Point:
    statements = _statements(shape, ratings)
    used = [statement.quantities for statement in statements]

    def rate_all() -> None:
        for quantities in used:
            rates = model.rates_for(STANDARD, quantities)
            costs = rates and rate(quantities, rates)
            if costs:
                fee_pico(_METER, costs.total_pico)

    configuration = _configuration()

    def look_up_and_rate() -> None:
        for statement in statements:
            rate_statement(statement, _CUSTOMER, configuration)

    rating_per_s = _per_second(rate_all, ratings)
    floor_per_s = _per_second(_multiplying(used), ratings)
    return Point(
        usage=shape.name,
        ratings_per_s=rating_per_s,
        with_lookup_per_s=_per_second(look_up_and_rate, ratings),
        multiplying_per_s=floor_per_s,
        ratio=round(rating_per_s / floor_per_s, 3),
    )


def _multiplying(used: Sequence[Quantities]) -> Callable[[], None]:
    """The least that rating could be: three products, their sum, and a tenth of it."""
    counts = [
        (each.uncached_input_tokens, each.cached_input_tokens, each.output_tokens) for each in used
    ]

    def multiply() -> None:
        for uncached, cached, output in counts:
            _ = (uncached * 900_000 + cached * 450_000 + output * 900_000) // 10

    return multiply


def _per_second(work: Callable[[], None], count: int) -> int:
    started = time.perf_counter()
    work()
    return round(count / (time.perf_counter() - started))


def _statements(shape: Shape, count: int) -> list[Statement]:
    dice = random.Random(shape.name)  # noqa: S311 - repeatable figures, not secrets
    received_at = datetime(2026, 11, 2, tzinfo=UTC)
    read = read_statement(msgspec.json.encode(_RECORD | {"model": shape.model}), received_at)
    assert isinstance(read, Statement)  # noqa: S101 - the record above has no fault
    return [
        msgspec.structs.replace(read, quantities=_quantities(dice, shape)) for _ in range(count)
    ]


def _quantities(dice: random.Random, shape: Shape) -> Quantities:
    uncached, cached, output = (dice.randrange(1, most) for most in (20_000, 10_000, 4_000))
    other = {"reasoning_tokens": dice.randrange(1, 4_000)} if shape.has_reasoning else None
    return Quantities(uncached, cached, output, other)


def _configuration() -> Configuration:
    table = load_rate_table(_TABLE, "bench", currency="USD")
    book = RateBook([PublishedTable(1, table)])
    return Configuration(epoch=1, book=book, meters={}, meter_slugs={}, limits={})
