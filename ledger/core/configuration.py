"""Everything decided beforehand that a writer needs: rates, meters, who has which, limits."""

import msgspec

from ledger.core.limits import SpendLimit
from pricing import Meter, RateBook


class PublishedMeter(msgspec.Struct, frozen=True):
    """A version of a meter with the number that events record."""

    meter_version: int
    meter: Meter


class Configuration(msgspec.Struct, frozen=True):
    """The decisions in force at one epoch. Customers are the ledger's own numbers."""

    epoch: int
    book: RateBook
    meters: dict[str, PublishedMeter]
    meter_slugs: dict[int, str]
    limits: dict[int, tuple[SpendLimit, ...]]

    def meter_for(self, customer: int, stated_slug: str | None) -> PublishedMeter | None:
        """The meter of an event: the one it states, else the customer's, else none.

        Raises:
            KeyError: the event states a meter that does not exist.
        """
        if stated_slug is not None:
            return self.meters[stated_slug]
        slug = self.meter_slugs.get(customer)
        return None if slug is None else self.meters[slug]
