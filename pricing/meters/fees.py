"""The fee of a tiered meter: what a quantity comes to, tier by tier.

Quantities are sums of stored integers, as wide as they get, and so are the amounts.
"""

from collections.abc import Iterator

from msgspec import Struct

from pricing.meters.meter import LIFETIME, Meter
from pricing.meters.tiers import MeterTier
from pricing.meters.units import MeterUnit
from pricing.prices import Rate


class TierShare(Struct, frozen=True):
    """What one tier comes to.

    Attributes:
        start: Where the tier starts, counted as `MeterTier.start` is.
        end: Where the next one starts; None for the last.
        rate: The rate of the tier, as stated.
        quantity: The stored integers that are charged at this rate.
        fee_pico: What they cost, rounded half-even once.
        packages: The packages that they begin; None unless the meter sells packages.
    """

    start: int
    end: int | None
    rate: str
    quantity: int
    fee_pico: int
    packages: int | None = None


def tier_shares(meter: Meter, quantity: int) -> list[TierShare]:
    """Say what a quantity comes to in each tier that has some of it, from the lowest up.

    A total exactly at a start belongs, by volume, to the tier that starts there. Graduated and in
    packages it fills the tier below, and the tier that starts there has nothing yet.

    Args:
        meter: The schedule; one without tiers has no shares.
        quantity: What it counted in the period, by `metered_sum`; 0 and less have no shares.
    """
    if not meter.is_tiered or meter.counting is None or quantity <= 0:
        return []
    reaches = list(_reaches(meter, meter.counting, quantity))
    if meter.kind == "volume":
        tier, end, _ = reaches[-1]
        return [_rated_share(meter.counting, tier, end, quantity)]
    shared = [reach for reach in reaches if reach[2] > 0]
    if meter.package_size is None:
        return [_rated_share(meter.counting, *reach) for reach in shared]
    package_quantity = meter.package_size * meter.counting.scale
    return [_package_share(package_quantity, *reach) for reach in shared]


def tiered_fee_pico(meter: Meter, quantity: int) -> int:
    """Give the fee in pico on all that a tiered meter counted, the sum of its shares.

    More usage never costs less, except by volume where the next tier is cheaper.
    """
    return sum(share.fee_pico for share in tier_shares(meter, quantity))


def period_fee_pico(meter: Meter, before: int, quantity: int) -> int:
    """Give the fee in pico that a billing period adds.

    Over a lifetime the tiers go on where they stood: the fee is that on everything less that on
    what came before, so that periods sum to the whole. It can be negative, by volume where a
    cheaper tier is reached and by a correction that takes more away than the period used.

    Args:
        meter: The schedule.
        before: What it counted of the customer before the period; without effect on a meter that
            begins anew each month.
        quantity: What it counted in the period.
    """
    if meter.period != LIFETIME:
        return tiered_fee_pico(meter, quantity)
    return tiered_fee_pico(meter, before + quantity) - tiered_fee_pico(meter, before)


def _reaches(
    meter: Meter, counting: MeterUnit, quantity: int
) -> Iterator[tuple[MeterTier, int | None, int]]:
    """Give each tier that a quantity reaches, where it ends, and how much of it lies inside."""
    ends = [*(tier.start for tier in meter.tiers[1:]), None]
    for tier, end in zip(meter.tiers, ends, strict=True):
        floor = tier.start * counting.scale
        if floor > quantity:
            return
        ceiling = quantity if end is None else min(quantity, end * counting.scale)
        yield tier, end, ceiling - floor


def _rated_share(counting: MeterUnit, tier: MeterTier, end: int | None, quantity: int) -> TierShare:
    """Charge a quantity at the rate of a tier."""
    fee_pico = Rate(tier.rate_pico, counting.per_quantity).cost_pico(quantity)
    return TierShare(tier.start, end, tier.rate, quantity, fee_pico)


def _package_share(
    package_quantity: int, tier: MeterTier, end: int | None, quantity: int
) -> TierShare:
    """Charge every package that a quantity begins; tiers start where packages do."""
    packages = -(-quantity // package_quantity)
    return TierShare(tier.start, end, tier.rate, quantity, packages * tier.rate_pico, packages)
