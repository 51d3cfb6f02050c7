"""`verify`: does everything that is derived follow from the facts, to the last digit?

Each check compares two ways to the same figures. Most are one query each, in the words of
sql/queries/verification.sql; the last one prices every event again.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from ledger.clock import Clock
from ledger.core.cuts import format_as_of
from ledger.core.request_ids import request_id_of
from ledger.store.database import Connection, Database
from ledger.store.log import read_cut
from ledger.store.verification import (
    CHECKS,
    MAX_OFFENDERS,
    WARNINGS,
    Prices,
    find_offenders,
    read_amounts,
    read_customer_ids,
    read_prices,
)
from pricing import AmountOutOfRange, Quantities, fee_pico, format_amount, rate

RATES_REPRODUCE_AMOUNTS = "rates_reproduce_amounts"

# The amounts of an event in pico units: input, cached input, output, other, fee, and other by unit.
Amounts = tuple[int | None, int | None, int | None, int | None, int | None, dict[str, int | None]]

Units = dict[str, tuple[int | None, int | None]]  # {unit: (quantity, amount)}, as stored

_NO_PRICES = Prices(is_rated=False, rates=None, meter=None)


async def verify(
    database: Database, clock: Clock, *, progress: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Make every check in one snapshot, which `as_of` names.

    `count` is how many offenders there are, of which the first ten are shown. Checks with `warning` tell
    what somebody should look at and do not decide `ok`.
    """
    checks = []
    async with database.snapshot() as connection:
        as_of = format_as_of(clock.now(), await read_cut(connection))
        for name in (*CHECKS, RATES_REPRODUCE_AMOUNTS, *WARNINGS):
            if progress is not None:
                progress(name)
            checks.append(await _check(connection, name))
    return {"ok": all(check["ok"] for check in checks), "as_of": as_of, "checks": checks}


async def _check(connection: Connection, name: str) -> dict[str, Any]:
    if name == RATES_REPRODUCE_AMOUNTS:
        count, offenders = await _price_again(connection)
    else:
        count, offenders = await find_offenders(connection, name)
    if name in WARNINGS:
        return {"name": name, "ok": True, "warning": True, "count": count, "offenders": offenders}
    return {"name": name, "ok": count == 0, "count": count, "offenders": offenders}


async def _price_again(connection: Connection) -> tuple[int, list[dict[str, Any]]]:
    """Price every event by the versions that it names; a chunk is in memory at a time."""
    prices = await read_prices(connection)
    count = 0
    first: list[tuple[Any, dict[str, Any]]] = []
    async for chunk in read_amounts(connection):
        for event in chunk:
            difference = _difference(event, prices.get(event["dimension"], _NO_PRICES))
            if difference is not None:
                count += 1
                if len(first) < MAX_OFFENDERS:
                    first.append((event, difference))
    names = await read_customer_ids(connection, {event["customer"] for event, _ in first})
    return count, [
        {
            "customer_id": names.get(event["customer"]),
            "request_id": request_id_of(event["request_id"].bytes, event["opaque_id"]),
            "revision": event["revision"],
            **difference,
        }
        for event, difference in first
    ]


def _difference(event: Any, prices: Prices) -> dict[str, Any] | None:
    """What an event's amounts are and what they should be, if that is not the same."""
    (
        *_, requests, unrated, uncached_input_tokens, cached_input_tokens, output_tokens, other_units,
        input_pico, cached_input_pico, output_pico, other_pico, event_fee_pico,
    ) = event  # fmt: skip
    units: Units = msgspec.json.decode(other_units) if other_units else {}
    stored: Amounts = (
        input_pico,
        cached_input_pico,
        output_pico,
        other_pico,
        event_fee_pico,
        {unit: pico for unit, (_, pico) in units.items()},
    )
    expected: Amounts | None
    if requests and not unrated:
        sign = 1 if requests > 0 else -1  # a reversal is the negation of what it reverses
        quantities = Quantities(
            sign * uncached_input_tokens,
            sign * cached_input_tokens,
            sign * output_tokens,
            {unit: sign * (quantity or 0) for unit, (quantity, _) in units.items()} or None,
        )
        expected = _amounts(quantities, prices, sign)
    else:
        unknown = dict.fromkeys(units)
        expected = None if prices.is_rated else (None, None, None, None, None, unknown)
    if stored == expected:
        return None
    return {"stored": _shown(stored), "expected": expected and _shown(expected)}


def _amounts(quantities: Quantities, prices: Prices, sign: int) -> Amounts | None:
    """The amounts of quantities; None when nothing prices them."""
    try:
        costs = rate(quantities, prices.rates) if prices.rates else None
        if costs is None:
            return None
        fee = fee_pico(prices.meter, costs.total_pico)
    except AmountOutOfRange:
        return None
    others = costs.other_pico or {}
    return (
        sign * costs.input_pico,
        sign * costs.cached_input_pico,
        sign * costs.output_pico,
        sign * sum(others.values()),
        sign * fee,
        {unit: sign * pico for unit, pico in others.items()},
    )


def _shown(amounts: Amounts) -> dict[str, Any]:
    *several, by_unit = amounts
    names = ("input", "cached_input", "output", "other", "fee")
    shown: dict[str, Any] = {
        name: None if pico is None else format_amount(pico)
        for name, pico in zip(names, several, strict=True)
    }
    if by_unit:
        shown["by_unit"] = {
            unit: None if pico is None else format_amount(pico) for unit, pico in by_unit.items()
        }
    return shown
