"""Random histories under random tiers, against a model that knows nothing but fractions."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.core.instants import month_period
from ledger.services.intake.writer import Writer
from ledger.services.limits import LimitRequest, set_limit
from ledger.store.database import Database
from ledger.store.invoices import read_due_fees
from tests.scenarios.invoice_tables import all_invoices, run
from tests.scenarios.tiered_tables import adjust, assert_whole, charge, fees, use

MONTHS = ("2025-10", "2025-11", "2025-12")
STEPS = 40


def drawn_meter(random_: random.Random) -> dict[str, Any]:
    """Terms of a meter on tokens, with rates that divide, so that fractions need no rounding."""
    size = random_.choice([7_000, 250_000])
    starts = [0, *sorted(size * step for step in random_.sample(range(1, 30), 3))]
    kind = random_.choice(["graduated", "volume", "package"])
    tiers = [
        {"start": start, "rate": f"{random_.randrange(9)}.{start % 97:02d}"} for start in starts
    ]
    period = random_.choice(["month", "lifetime"])
    packages = {"package_size": size} if kind == "package" else {}
    return {"kind": kind, "tiers": tiers, "period": period, **packages}


def plain_fee(meter: dict[str, Any], tokens: int) -> Fraction:
    """The fee on some tokens."""
    starts = [tier["start"] for tier in meter["tiers"]]
    rates = [Fraction(tier["rate"]) for tier in meter["tiers"]]
    if meter["kind"] == "volume":
        reached = max(place for place, start in enumerate(starts) if start <= tokens)
        return tokens * rates[reached] / 1_000_000
    fee = Fraction()
    for start, end, rate in zip(starts, [*starts[1:], 10**18], rates, strict=True):
        part = max(0, min(tokens, end) - start)
        size = meter.get("package_size")
        fee += part * rate / 1_000_000 if size is None else -(-part // size) * rate
    return fee


def expected_fees(
    meters: dict[str, dict[str, Any]], standing: dict[str, tuple[str, str, int]]
) -> Iterator[tuple[str, Fraction]]:
    """Every fee that is not nothing, from the requests that stand: customer, month, tokens."""
    used: defaultdict[tuple[str, str], int] = defaultdict(int)
    for customer, month, tokens in standing.values():
        used[customer, month] += tokens
    for customer, meter in meters.items():
        so_far = 0
        for month in MONTHS:
            before = so_far if meter["period"] == "lifetime" else 0
            so_far += used[customer, month]
            fee = plain_fee(meter, before + used[customer, month]) - plain_fee(meter, before)
            if fee:
                yield f"{customer} {month} {customer}", fee


async def billed(database: Database) -> list[tuple[str, Fraction]]:
    """The fees on all invoices: `customer month meter`, and the amount."""
    return [
        (
            f"{invoice['customer_id']} {line['period_start'][:7]} {line['meter']}",
            Fraction(line["fee"]),
        )
        for invoice in await all_invoices(database)
        for line in invoice["lines"]
        if "meter" in line
    ]


async def still_due(database: Database) -> list[tuple[str, Fraction]]:
    """The same of what no invoice has billed up to the end of 2025."""
    async with database.connection() as connection:
        ids = dict(await connection.fetch("SELECT customer, customer_id FROM customer"))
        due = await read_due_fees(connection, list(ids), month_period(date(2025, 12, 1)))
    return [
        (f"{ids[customer]} {line.month:%Y-%m} {line.meter}", Fraction(line.fee_pico, 10**12))
        for customer, lines in due.items()
        for line in lines
    ]


def summed(fees_by_key: list[tuple[str, Fraction]]) -> dict[str, Fraction]:
    """Their sums by key, but for those that come to nothing."""
    sums: defaultdict[str, Fraction] = defaultdict(Fraction)
    for key, fee in fees_by_key:
        sums[key] += fee
    return {key: fee for key, fee in sums.items() if fee}


@pytest.mark.parametrize("seed", range(4))
async def test_a_history_comes_to_what_fractions_say(
    database: Database, clock: FixedClock, writer: Writer, seed: int
) -> None:
    """After every few steps, and on the invoices together with what is still due."""
    random_ = random.Random(seed)
    meters = {f"customer-{number}": drawn_meter(random_) for number in range(2)}
    for customer, terms in meters.items():
        await charge(database, clock, customer, customer, **terms)
        await set_limit(database, clock, "test", LimitRequest(customer, "9.00", "total"))
    standing: dict[str, tuple[str, str, int]] = {}
    for step in range(STEPS):
        tokens = random_.choice([0, 1, 7_000, 250_000, random_.randrange(3_000_000)])
        if standing and random_.random() < 0.3:
            request_id = random_.choice(list(standing))
            customer, month, before = standing.pop(request_id)
            is_void = random_.random() < 0.5 or tokens == before
            await adjust(database, clock, request_id, None if is_void else tokens)
            if not is_void:
                standing[request_id] = (customer, month, tokens)
        else:
            customer, month = random_.choice(sorted(meters)), random_.choice(MONTHS)
            key_type = random_.choice(["managed", "byok"])
            at = f"{month}-{random_.randrange(1, 31):02d}T12:00:00Z"
            request_id = await use(writer, customer, at, tokens, provider_key_type=key_type)
            standing[request_id] = (customer, month, tokens)
        if step % 8 == 7:
            found = {key: Fraction(fee) for key, fee in (await fees(database, clock)).items()}
            assert found == dict(expected_fees(meters, standing))
        if step in (15, 25):
            await run(database, clock, MONTHS[step % 2])
    await assert_whole(database, clock)

    await run(database, clock, "2026-01")
    # What comes to less than nothing waits for a later invoice.
    fees_of_both = await billed(database) + await still_due(database)
    assert summed(fees_of_both) == dict(expected_fees(meters, standing))
    await assert_whole(database, clock)
