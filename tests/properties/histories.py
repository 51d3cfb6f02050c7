"""Random histories: what people and machines do to a ledger, in one order or at once.

A history is drawn from a `random.Random`: a seeded one repeats it, hypothesis's own shrinks it. All
names in it end in its number, so that many histories fit into one database.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

HISTORIES_A_ROOM = 20  # as many share a database
MONTHS_A_HISTORY = 5  # their times do not overlap, so that clocks and windows go on
FIRST_MONTH = datetime(2026, 9, 1, tzinfo=UTC)
DAY = timedelta(days=1)

Prices = Mapping[str, Any]  # of one model, as a rate file says them


@dataclass(frozen=True)
class Send:
    """A batch of records through one of the writers."""

    writer: int
    records: tuple[bytes, ...]


@dataclass(frozen=True)
class Adjust:
    """A void, or a correction to absolute quantities."""

    customer: str
    request_id: str
    kind: str
    quantities: Mapping[str, int | Decimal]
    key: str


@dataclass(frozen=True)
class Publish:
    """A version of a provider's rate table."""

    provider: str
    version: str
    effective_from: datetime
    models: Mapping[str, Prices]
    aliases: Mapping[str, str] = field(default_factory=dict)
    fallback: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SetMeter:
    """A version of a meter: a percentage of cost, a rate for a unit, or, with neither, no fee."""

    slug: str
    rate: str | None
    unit: str | None = None


@dataclass(frozen=True)
class GiveMeter:
    """The meter of a customer's records that state none."""

    customer: str
    slug: str


@dataclass(frozen=True)
class SetLimit:
    """A cap on a customer's spend."""

    customer: str
    amount: str
    window: str
    thresholds: tuple[str, ...]


@dataclass(frozen=True)
class RunInvoices:
    """Bill a month (`2026-04`), for one customer or for all."""

    month: str
    customer: str | None


@dataclass(frozen=True)
class MoveClock:
    """The clock shows another time: later, or an hour earlier."""

    to: datetime


@dataclass(frozen=True)
class Condense:
    """Sum up the days that are over; no answer changes by it."""


Single = (
    Send | Adjust | Publish | SetMeter | GiveMeter | SetLimit | RunInvoices | MoveClock | Condense
)


@dataclass(frozen=True)
class AtOnce:
    """Operations that go on together, each begun after a pause; any order may be what happened."""

    operations: tuple[Single, ...]
    pauses_ms: tuple[int, ...]


Operation = Single | AtOnce


@dataclass(frozen=True)
class History:
    """What happens, and the names that it happens to."""

    number: int
    customers: tuple[str, ...]
    begins_at: datetime
    operations: tuple[Operation, ...]

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From before the first to after the last time in it."""
        origin = origin_of(self.number)
        return origin - 40 * DAY, origin + 400 * DAY


def origin_of(number: int) -> datetime:
    """The first instant of the months that a history plays in."""
    months = MONTHS_A_HISTORY * (number % HISTORIES_A_ROOM)
    return month_at(FIRST_MONTH, months)


def month_at(origin: datetime, months: int) -> datetime:
    """The first instant of a month so many months after one."""
    month = origin.month - 1 + months
    return origin.replace(year=origin.year + month // 12, month=month % 12 + 1)
