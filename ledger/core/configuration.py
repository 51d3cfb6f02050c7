"""Everything decided beforehand that a writer needs: rates, meters, who has which, limits."""

from collections.abc import Mapping
from datetime import date
from functools import cached_property

import msgspec

from ledger.core.limits import SpendLimit
from pricing import Meter, RateBook


class PublishedMeter(msgspec.Struct, frozen=True):
    """A version of a meter with the number that events record."""

    meter_version: int
    meter: Meter


class Configuration(msgspec.Struct, frozen=True, dict=True):
    """The decisions in force at one epoch. Customers are the ledger's own numbers.

    `meters` holds every version by its number; the highest of a slug is the one that counts now.
    Who moves the sums of a day before `marked_until` marks it.
    """

    epoch: int
    book: RateBook
    meters: dict[int, PublishedMeter]
    meter_slugs: dict[int, str]
    limits: dict[int, tuple[SpendLimit, ...]]
    marked_until: date = date.min

    def meter_for(self, customer: int, stated_slug: str | None) -> PublishedMeter | None:
        """The meter of an event: the one it states, else the customer's, else none.

        Raises:
            KeyError: the event states a meter that does not exist.
        """
        if stated_slug is not None:
            return self._in_force[stated_slug]
        slug = self.meter_slugs.get(customer)
        return None if slug is None else self._in_force[slug]

    @cached_property
    def tiered(self) -> dict[int, PublishedMeter]:
        """The versions of meters whose fee is that of a whole period, by their numbers."""
        return {number: each for number, each in self.meters.items() if each.meter.is_tiered}

    @cached_property
    def _in_force(self) -> dict[str, PublishedMeter]:
        return current_meters(self.meters)


def current_meters(meters: Mapping[int, PublishedMeter]) -> dict[str, PublishedMeter]:
    """The highest version of each meter, by slug."""
    return {meters[number].meter.slug: meters[number] for number in sorted(meters)}
