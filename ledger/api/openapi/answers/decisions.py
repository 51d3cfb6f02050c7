"""Customers, meters, limits, alerts and rate tables."""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from ledger.core.shapes import Amount, Instant


class CustomerAnswer(Struct):
    """Who pays, and by which meter."""

    customer_id: str
    meter_slug: str | None


class CustomerPage(Struct):
    """Customers in the order of their ids."""

    data: list[CustomerAnswer]
    has_more: bool
    next_cursor: str | None


class Tier(Struct):
    """A step of a meter."""

    start: int
    rate: str


class MeterAnswer(Struct):
    """The version of a meter that is in force; what its kind does not ask for is not there."""

    meter_slug: str
    version: int
    kind: Literal["none", "percentage", "fixed", "graduated", "volume", "package"]
    percentage: str | None
    unit: str | UnsetType = UNSET
    rate: str | UnsetType = UNSET
    tiers: list[Tier] | UnsetType = UNSET
    package_size: int | UnsetType = UNSET
    period: Literal["month", "lifetime"] | UnsetType = UNSET


class MeterList(Struct):
    """Every meter."""

    data: list[MeterAnswer]


class LimitAnswer(Struct):
    """A cap on what a customer spends in a window."""

    limit_id: str
    customer_id: str
    amount: str
    window: Literal["day", "week", "month", "total"]
    thresholds: list[str]
    action: Literal["alert", "block"]


class LimitList(Struct):
    """Limits of customers."""

    data: list[LimitAnswer]


class AlertAnswer(Struct):
    """A threshold was reached; once for each limit, threshold and window."""

    alert_id: str
    limit_id: str
    customer_id: str
    threshold: str
    window_start: Instant | None
    window_end: Instant | None
    limit_amount: str
    spend: Amount
    raised_at: Instant


class AlertList(Struct):
    """Alerts, oldest first."""

    data: list[AlertAnswer]


class ModelAnswer(Struct):
    """A model that has a price; `created` is when its rate table came into force, in Unix seconds."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(Struct):
    """Models by provider and id."""

    object: Literal["list"]
    data: list[ModelAnswer]


class RateTableAnswer(Struct):
    """A version of a provider's rate table; `models` has the prices by model and what they are for."""

    rate_version: int
    provider: str
    version: str
    effective_from: Instant
    published_at: Instant | None
    currency: str
    source: str | None
    fingerprint: str
    file: str | None
    models: dict[str, dict[str, Any]]
    aliases: dict[str, str]
    fallback: dict[str, str]


class RateTableList(Struct):
    """Rate tables by provider and effective time."""

    data: list[RateTableAnswer]
