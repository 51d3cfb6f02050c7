"""The parts of genai-prices that prices are read from, as types.

Source: `types.py` of genai-prices 0.2.3. What is not named here is not looked at; a condition of
another kind is refused, since it would decide which price counts.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, Struct

Tokens = Annotated[int, Meta(ge=0, le=10**12)]


class Tier(Struct, frozen=True):
    """A price for requests of more than `start` input tokens, for all of their tokens."""

    start: Tokens
    price: Decimal


class Tiered(Struct, frozen=True):
    """A price, and others for longer requests."""

    base: Decimal
    tiers: list[Tier]


Prices = dict[str, Decimal | Tiered | None]


class Constraint(Struct, frozen=True, forbid_unknown_fields=True):
    """When prices count: from a day on, or between two times of every day."""

    start_date: date | None = None
    start_time: Any = None
    end_time: Any = None


class Conditional(Struct, frozen=True):
    """Prices with the condition under which they count; the last that holds does."""

    prices: Prices
    constraint: Constraint | None = None


class Variant(Struct, frozen=True):
    """Prices that replace single ones for calls of a kind; the first that states one holds."""

    when: dict[str, str]
    prices: Prices
    constraint: Constraint | None = None


class Model(Struct, frozen=True):
    """A model: its prices, and the rules by which an id is found to be one of it."""

    id: str
    match: dict[str, Any]
    prices: Prices | list[Conditional]
    price_variants: list[Variant] | None = None


class Provider(Struct, frozen=True):
    """A provider with its models, which are looked into one by one."""

    id: str
    models: list[dict[str, Any]]
