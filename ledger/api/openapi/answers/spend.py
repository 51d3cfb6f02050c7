"""Sums of usage."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType, field

from ledger.api.openapi.answers.figures import Quantities, Sums
from ledger.core.shapes import Day, Instant, KeyType, Month

Grouping = Literal["customer", "provider", "model", "key_type", "hour", "day", "month"]


class SpendRow(Sums, kw_only=True):
    """A group by the values it was asked to be grouped by, null where unknown; `meter` if these are fees."""

    customer: str | UnsetType | None = UNSET
    provider: str | UnsetType | None = UNSET
    model: str | UnsetType | None = UNSET
    key_type: KeyType | UnsetType | None = UNSET
    hour: Instant | UnsetType | None = UNSET
    day: Day | UnsetType | None = UNSET
    month: Month | UnsetType | None = UNSET
    meter: str | UnsetType = UNSET


class SpendAnswer(Struct):
    """What was spent in a half-open span; `as_of` asks for this answer again."""

    start: Instant = field(name="from")
    to: Instant
    currency: str
    group_by: list[Grouping]
    rows: list[SpendRow]
    totals: Sums
    unrated_requests: int
    as_of: str


class UnratedGroup(Quantities, kw_only=True):
    """Usage of a customer, called in one way, without a price."""

    customer_id: str
    provider: str | None
    model: str | None
    service_tier: str | None
    batch: bool
    region: str | None
    accelerator: str | None
    key_type: KeyType
    requests: int
    first_hour: Instant
    last_hour: Instant
    reason: str
    alerted_at: Instant | None


class UnratedAnswer(Struct):
    """All usage without a price, by customer and way of calling a model."""

    data: list[UnratedGroup]
    has_more: bool
