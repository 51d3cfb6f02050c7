"""Fees of tiered meters: what customers use by them, month by month, and what that comes to.

Usage is kept as quantities alone, in the stored integers that a meter counts. The fee of a month is worked
out from them wherever it is asked for, so that spend, limits, invoices and explanations agree.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import groupby

import msgspec

from ledger.core.configuration import PublishedMeter
from ledger.core.instants import month_of, month_period
from ledger.core.limits import TIERED_KINDS, window_of
from ledger.core.rows import UsageEvent
from pricing import LIFETIME, Meter, Unit, metered_sum, period_fee_pico

UsageKey = tuple[
    int, int, date
]  # a customer, the number of a meter's version, the first day of a month
MeterUsage = Mapping[UsageKey, int]
WindowFees = Mapping[tuple[int, str, datetime], int]  # by customer, kind of window, and its start


class TieredFee(msgspec.Struct, frozen=True):
    """The fee on what a customer used by one version of a meter in a month, in pico units.

    `before` is what that version counted of the customer in all earlier months, whether the tiers go on from
    there or not.
    """

    customer: int
    published: PublishedMeter
    month: date
    before: int
    quantity: int
    fee_pico: int

    @property
    def slug(self) -> str:
        """The meter, whatever its version."""
        return self.published.meter.slug


def is_lifetime(meter: Meter) -> bool:
    """Whether usage of a month moves the fees of later months too."""
    return meter.period == LIFETIME


def event_quantity(meter: Meter, event: UsageEvent) -> int:
    """What a meter counts of a row of the log, signed as the row is."""
    units = {
        Unit.INPUT_TOKENS.value: event.uncached_input_tokens,
        Unit.CACHED_INPUT_TOKENS.value: event.cached_input_tokens,
        Unit.OUTPUT_TOKENS.value: event.output_tokens,
    }
    if event.other_units is not None:
        pairs: dict[str, list[int | None]] = msgspec.json.decode(event.other_units)
        units.update((unit, quantity or 0) for unit, (quantity, _) in pairs.items())
    return metered_sum(meter, units, event.requests)


def fold_usage(
    events: Iterable[UsageEvent],
    meter_versions: Mapping[int, int | None],
    tiered: Mapping[int, PublishedMeter],
) -> dict[UsageKey, int]:
    """Sum what tiered meters count of some events. What is unmetered or unrated counts nothing yet.

    `meter_versions` gives the meter of each dimension, `tiered` the meters with tiers; both by number.
    """
    usage: dict[UsageKey, int] = {}
    for event in events:
        version = meter_versions.get(event.dimension)
        if version is None or version not in tiered or event.revision == 0 or event.unrated:
            continue
        key = (event.customer, version, month_of(event.occurred_at))
        usage[key] = usage.get(key, 0) + event_quantity(tiered[version].meter, event)
    return usage


def less(usage: MeterUsage, taken: MeterUsage) -> dict[UsageKey, int]:
    """Usage as it was without a part of it."""
    return {key: quantity - taken.get(key, 0) for key, quantity in usage.items()}


def tiered_fees(usage: MeterUsage, meters: Mapping[int, PublishedMeter]) -> list[TieredFee]:
    """The fees of every month of usage, in the order of customers, versions and months.

    A month's fee is that of its own quantity, or, for a meter that goes on for a lifetime, what the month
    adds; so every month from the first must be in `usage` for such a meter.
    """
    fees = []
    for (_, version), keys in groupby(sorted(usage), key=lambda key: key[:2]):
        before = 0
        for key in keys:
            customer, _, month = key
            quantity = usage[key]
            fee_pico = period_fee_pico(meters[version].meter, before, quantity)
            fees.append(TieredFee(customer, meters[version], month, before, quantity, fee_pico))
            before += quantity
    return fees


def fees_by_slug(fees: Iterable[TieredFee]) -> dict[tuple[int, str, date], int]:
    """Fees in pico units by customer, meter and month; the versions of a meter are added up."""
    sums: dict[tuple[int, str, date], int] = {}
    for fee in fees:
        key = (fee.customer, fee.slug, fee.month)
        sums[key] = sums.get(key, 0) + fee.fee_pico
    return sums


def fees_by_window(fees: Iterable[TieredFee]) -> dict[tuple[int, str, datetime], int]:
    """Fees in pico units by the windows of limits that their months lie in; meters are added up.

    No month lies in a day or a week.
    """
    sums: dict[tuple[int, str, datetime], int] = {}
    for fee in fees:
        for kind in TIERED_KINDS:
            window = window_of(kind, month_period(fee.month).start_at)
            key = (fee.customer, kind, window.start_at)
            sums[key] = sums.get(key, 0) + fee.fee_pico
    return sums


def first_lifetime_months(
    usage: MeterUsage, meters: Mapping[int, PublishedMeter]
) -> Iterator[UsageKey]:
    """The earliest month in which usage moves each lifetime meter: fees move from there on.

    In the order of customers and versions.
    """
    for (_, version), keys in groupby(sorted(usage), key=lambda key: key[:2]):
        if is_lifetime(meters[version].meter):
            yield next(keys)
