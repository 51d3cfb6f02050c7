"""Re-rating: what the rate tables that are known now make of what stands, and what that changes.

    what stands ─▶ rerated ─▶ a new statement, or why it is kept ─▶ differences by customer and model

A request that has a price never loses it, and one that counts nothing is not looked at.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum
from operator import attrgetter

import msgspec

from ledger.core.adjustments import Standing
from ledger.core.errors import FieldError
from ledger.core.events import spend_pico, usage_event
from ledger.core.instants import HOUR
from ledger.core.rating import RatedStatement, combination_for, rate_again
from ledger.core.rows import Dimension, UsageEvent
from pricing import Quantities, RateBook

# All that prices decide of a row; units that are not tokens stand with their amounts.
_AMOUNTS = attrgetter(
    "input_pico", "cached_input_pico", "output_pico", "other_pico", "fee_pico", "other_units"
)
Group = tuple[int, str | None]  # a customer's number, a model
Stretch = tuple[datetime, datetime]  # half-open


class Kept(Enum):
    """Why a request stays as it is; the values name the counters of a difference, but for `SAME`."""

    SAME = "same"  # it comes to the same, or has no price still
    LOSING = "losing"  # it has a price, and the table in force has none for it
    UNFIT = "does_not_fit"  # its new price is more than an amount can hold


class Figures(msgspec.Struct):
    """Sums over what stands, in pico units; `unrated` is how many requests have no price."""

    cost_pico: int = 0
    fee_pico: int = 0
    spend_pico: int = 0
    unrated: int = 0

    def add(self, other: "Figures") -> None:
        """Add the sums of others to these."""
        self.cost_pico += other.cost_pico
        self.fee_pico += other.fee_pico
        self.spend_pico += other.spend_pico
        self.unrated += other.unrated


class Difference(msgspec.Struct):
    """What re-rating makes of some requests: how many there are, how many change, and their sums."""

    requests: int = 0
    changed: int = 0
    losing: int = 0
    does_not_fit: int = 0
    before: Figures = msgspec.field(default_factory=Figures)
    after: Figures = msgspec.field(default_factory=Figures)

    def add(self, other: "Difference") -> None:
        """Add the difference of other requests to this."""
        self.requests += other.requests
        self.changed += other.changed
        self.losing += other.losing
        self.does_not_fit += other.does_not_fit
        self.before.add(other.before)
        self.after.add(other.after)

    @property
    def is_notable(self) -> bool:
        """Whether something changes, or should and does not."""
        return bool(self.changed or self.losing or self.does_not_fit)


class Differences(msgspec.Struct):
    """Differences by customer and model."""

    groups: dict[Group, Difference] = {}

    def of(self, standing: Standing) -> Difference:
        """The difference that a request counts in."""
        group = (standing.event.customer, standing.dimension.model)
        return self.groups.setdefault(group, Difference())

    def add(self, other: "Differences") -> None:
        """Add the differences of other requests to these."""
        for group, difference in other.groups.items():
            self.groups.setdefault(group, Difference()).add(difference)

    def total(self) -> Difference:
        """The difference of all of them."""
        total = Difference()
        for difference in self.groups.values():
            total.add(difference)
        return total


class Plan(msgspec.Struct, frozen=True):
    """What re-rating does to some requests: the new statements beside what they replace."""

    changes: Sequence[tuple[Standing, RatedStatement]]
    differences: Differences


def rerated(standing: Standing, book: RateBook) -> RatedStatement | Kept:
    """The new statement of a request by the table in force at its time, as the book knows it, or why not.

    Its meter stays, and the fee follows the new cost.
    """
    if standing.event.requests <= 0:  # voided, or not completed
        return Kept.SAME
    anew = rate_again(standing.statement, standing.dimension, standing.meter, book, None)
    if isinstance(anew, FieldError):
        return Kept.UNFIT
    if anew.is_unrated:
        return Kept.SAME if standing.event.unrated else Kept.LOSING
    row = usage_event(anew, standing.event.customer, dimension=0, lane=0, batch=0)
    return Kept.SAME if _AMOUNTS(row) == _AMOUNTS(standing.event) else anew


def plan_rerating(standings: Iterable[Standing], book: RateBook) -> Plan:
    """Rate requests anew, in the order of their keys, and sum up what that changes."""
    changes: list[tuple[Standing, RatedStatement]] = []
    differences = Differences()
    for standing in sorted(standings, key=_key):
        answer = rerated(standing, book)
        difference = differences.of(standing)
        difference.requests += 1
        before = _figures(standing.event, standing.dimension.key_type)
        difference.before.add(before)
        if isinstance(answer, RatedStatement):
            changes.append((standing, answer))
            difference.changed += 1
            difference.after.add(_figures_of(answer))
        else:
            _count_kept(difference, answer)
            difference.after.add(before)
    return Plan(changes, differences)


def left_out(standing: Standing) -> Differences:
    """The differences of a request whose new statement could not be stored."""
    differences = Differences()
    difference = differences.of(standing)
    difference.requests = 1
    difference.does_not_fit = 1
    figures = _figures(standing.event, standing.dimension.key_type)
    difference.before.add(figures)
    difference.after.add(figures)
    return differences


def could_be_rated(dimension: Dimension, hour_at: datetime, book: RateBook) -> bool:
    """Whether unrated requests of a dimension and an hour may have a price by now.

    A yes may turn out to be wrong, when a price of some quantity is missing; a no never does.
    """
    instants = [hour_at]
    instants += [
        each.table.effective_from
        for each in book.versions()
        if hour_at < each.table.effective_from < hour_at + HOUR
    ]
    return any(_lists(dimension, instant, book) for instant in instants)


def stretches(
    hours: Iterable[tuple[datetime, int]], start_at: datetime, end_at: datetime, most: int
) -> list[Stretch]:
    """Cut time where requests lie into stretches of about `most` of them, each of whole hours at least.

    `hours` are ascending hours with how many requests each has; an hour may come several times. Nothing
    reaches beyond start and end.
    """
    cut: list[Stretch] = []
    gathered = 0
    for hour_at, requests in hours:
        starts, ends = max(hour_at, start_at), min(hour_at + HOUR, end_at)
        if cut and (ends == cut[-1][1] or gathered + requests <= most):
            cut[-1] = (cut[-1][0], ends)
            gathered += requests
        else:
            cut.append((starts, ends))
            gathered = requests
    return cut


def _lists(dimension: Dimension, at: datetime, book: RateBook) -> bool:
    """Whether the table in force at an instant has prices of a model, for some usage."""
    provider, model = dimension.provider, dimension.model
    if model is None:
        return False
    if provider is None:
        listing_providers = book.providers_listing(model, at)
        if len(listing_providers) != 1:
            return False
        provider = listing_providers[0]
    published = book.in_force(provider, at)
    listing = published.table.find(model) if published else None
    if listing is None:
        return False
    return listing.rates.rates_for(combination_for(dimension), Quantities()) is not None


def _count_kept(difference: Difference, kept: Kept) -> None:
    if kept is Kept.LOSING:
        difference.losing += 1
    elif kept is Kept.UNFIT:
        difference.does_not_fit += 1


def _key(standing: Standing) -> tuple[bytes, int]:
    return standing.event.request_id, standing.event.customer


def _figures(event: UsageEvent, key_type: str) -> Figures:
    parts = (event.input_pico, event.cached_input_pico, event.output_pico, event.other_pico)
    return Figures(
        sum(part or 0 for part in parts),
        event.fee_pico or 0,
        spend_pico(event, key_type),
        event.unrated,
    )


def _figures_of(rated: RatedStatement) -> Figures:
    """The same of a new statement, which always has a price."""
    cost_pico = rated.costs.total_pico if rated.costs else 0
    return Figures(cost_pico, rated.fee_pico or 0, rated.spend_pico)
