"""Meters: our fee schedules on top of the provider's cost."""

import re
from collections.abc import Collection, Mapping
from functools import cached_property
from types import MappingProxyType

from msgspec import Struct

from pricing.files.problems import shown
from pricing.meters.tiers import (
    TIERS_MAX,
    MeterTier,
    check_count,
    parse_rate_pico,
    start_faults,
)
from pricing.meters.units import METER_UNITS, MeterUnit
from pricing.money import check_amount, divide_half_even
from pricing.prices import Rate

PERCENTAGE_MAX = 1000
PERCENTAGE_PLACES = 6
MONTH = "month"
LIFETIME = "lifetime"
PERIODS = (MONTH, LIFETIME)

_TIERED = ("unit", "period", "tiers")
# What each kind of meter states, all of it and nothing else.
TERMS_BY_KIND: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "none": (),
        "percentage": ("percentage",),
        "fixed": ("unit", "rate"),
        "graduated": _TIERED,
        "volume": _TIERED,
        "package": ("package_size", *_TIERED),
    }
)
TERMS = ("percentage", "unit", "rate", "tiers", "package_size", "period")

_MICRO = 10**PERCENTAGE_PLACES
_PERCENTAGE = re.compile(rf"([0-9]{{1,4}})(?:\.([0-9]{{1,{PERCENTAGE_PLACES}}}))?")


class Meter(Struct, frozen=True, dict=True):
    """One version of a fee schedule.

    `none` charges nothing, `percentage` a share of the cost, `fixed` a rate on each event. The
    tiered kinds charge on what a customer's events come to in a period: `graduated` each part at
    the rate of the tier that it falls in, `volume` everything at the rate of the tier that the
    total falls in, `package` the rate of its tier for every package that is begun.

    Attributes:
        slug: The name by which records and customers choose it.
        version: Counts up with every change of the schedule.
        kind: One of `TERMS_BY_KIND`, which says what else is stated.
        percentage: The share as decimal text, such as `10` or `12.5`.
        unit: What is counted and what a rate is for, the value of a `MeterUnit`.
        rate: The price as plain decimal text, such as `0.01`, of a million tokens or characters,
            a minute or a request.
        tiers: From 0 up, each to the start of the next.
        package_size: What one package holds, counted as tier starts are.
        period: `month` when tiers begin anew with every billing period, `lifetime` when all that
            the customer ever used counts.

    Raises:
        ValueError: The kind is unknown, or the rest is not what the kind asks for.
    """

    slug: str
    version: int
    kind: str
    percentage: str | None = None
    unit: str | None = None
    rate: str | None = None
    tiers: tuple[MeterTier, ...] = ()
    package_size: int | None = None
    period: str | None = None

    def __post_init__(self) -> None:
        """Refuse a schedule that could not be applied."""
        check_word("kind of meter", self.kind, TERMS_BY_KIND)
        for term in TERMS:
            self._check_stated(term)
        _ = self.percentage_micro, self.counting, self.fixed_rate
        if self.package_size is not None:
            check_count("package size", self.package_size, least=1)
        if self.is_tiered:
            check_word("period", self.period, PERIODS)
        if len(self.tiers) > TIERS_MAX:
            raise ValueError(f"a meter has at most {TIERS_MAX} tiers")
        for index, fault in start_faults([tier.start for tier in self.tiers], self.package_size):
            raise ValueError(f"tier {index + 1}: {fault}")

    def _check_stated(self, term: str) -> None:
        """Refuse a term that the kind does not have, and the lack of one that it has."""
        stated = getattr(self, term) not in (None, ())
        if stated != (term in TERMS_BY_KIND[self.kind]):
            verb = "has no" if stated else "must state its"
            raise ValueError(f"a meter of kind {self.kind} {verb} {term}")

    @property
    def is_tiered(self) -> bool:
        """True when the fee is that of a whole period and no event has one of its own."""
        return bool(self.tiers)

    @cached_property
    def percentage_micro(self) -> int:
        """The percentage in millionths of a percent; 0 when there is none. Read only once."""
        return 0 if self.percentage is None else parse_percentage_micro(self.percentage)

    @cached_property
    def counting(self) -> MeterUnit | None:
        """What the meter counts; None when it counts nothing."""
        return None if self.unit is None else MeterUnit(check_word("unit", self.unit, METER_UNITS))

    @cached_property
    def fixed_rate(self) -> Rate | None:
        """The rate on each event, as a price of stored integers; None unless the kind is fixed."""
        if self.rate is None or self.counting is None:
            return None
        return Rate(parse_rate_pico(self.rate), self.counting.per_quantity)


def percentage_meter(slug: str, version: int, percentage: str) -> Meter:
    """Make a meter that charges a percentage of the cost.

    Raises:
        ValueError: The percentage is not plain decimal text from 0 to 1000 with up to 6 places.
    """
    return Meter(slug=slug, version=version, kind="percentage", percentage=percentage)


def fee_pico(meter: Meter | None, cost_pico: int, quantity: int = 0) -> int:
    """Give the fee on one event in pico, rounded half-even once.

    Without a meter there is none. A tiered meter has none either: its fee is that of a period.

    Args:
        meter: The schedule that counts for the event, if any.
        cost_pico: What the provider charges.
        quantity: What the meter counts of the event, by `metered_quantity`.

    Raises:
        AmountOutOfRange: The fee does not fit an amount.
    """
    if meter is None:
        return 0
    if meter.fixed_rate is not None:
        return check_amount(meter.fixed_rate.cost_pico(quantity))
    if meter.percentage_micro == 0:
        return 0
    return check_amount(divide_half_even(cost_pico * meter.percentage_micro, 100 * _MICRO))


def same_schedule(one: Meter, other: Meter) -> bool:
    """Tell whether two meters charge alike whatever is used: `5.0` is `5.00`, names do not matter."""
    return _meaning(one) == _meaning(other)


def _meaning(meter: Meter) -> tuple[object, ...]:
    """Give all that a schedule says, with amounts as numbers."""
    rate_pico = None if meter.fixed_rate is None else meter.fixed_rate.price_pico
    tiers = [(tier.start, tier.rate_pico) for tier in meter.tiers]
    terms = (meter.kind, meter.unit, meter.period, meter.package_size)
    return (*terms, meter.percentage_micro, rate_pico, tiers)


def check_word(what: str, value: object, words: Collection[str]) -> str:
    """Return a value unchanged when it is one of the words that can stand there.

    Raises:
        ValueError: It is none of them.
    """
    if isinstance(value, str) and value in words:
        return value
    named = shown(value) if isinstance(value, str) else "what stands there"
    raise ValueError(f"{named} is not a {what}: use {', '.join(words)}")


def parse_percentage_micro(text: str) -> int:
    """Read percentage text as millionths of a percent.

    Raises:
        ValueError: It is not plain decimal text from 0 to 1000 with up to 6 places.
    """
    match = _PERCENTAGE.fullmatch(text)
    if match is not None:
        percentage_micro = int(match[1] + (match[2] or "").ljust(PERCENTAGE_PLACES, "0"))
        if percentage_micro <= PERCENTAGE_MAX * _MICRO:
            return percentage_micro
    raise ValueError(
        f"{shown(text)} is not a percentage: write a plain decimal from 0 to {PERCENTAGE_MAX} "
        f"with up to {PERCENTAGE_PLACES} places, such as 12.5"
    )
