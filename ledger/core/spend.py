"""Spend questions and their answers: which rows, how they are merged, what they sum to."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from ledger.core.errors import InvalidParameter, TooManyRows
from ledger.core.instants import Span, split_at_hours
from ledger.core.tiered_fees import TieredFee

GROUPINGS = ("customer", "provider", "model", "key_type", "hour", "day", "month")
MAX_ROWS = 10_000
FIGURES = (
    "requests", "unrated", "uncached_input_tokens", "cached_input_tokens", "output_tokens",
    "cost_pico", "fee_pico", "spend_pico",
)  # fmt: skip

Group = tuple[str | None, ...]


class SpendQuery(msgspec.Struct, frozen=True):
    """A question for spend in a half-open span. Empty filters do not filter; None within means unknown."""

    span: Span
    group_by: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    key_types: tuple[str, ...] = ()

    @property
    def asks_for_tiered_fees(self) -> bool:
        """Whether tiered fees are in its answer: they have no provider, model or type of key."""
        return not (self.providers or self.models or self.key_types)


class SpendFigures(msgspec.Struct):
    """The sums of a group: counts, tokens, pico amounts, and other units by name."""

    requests: int = 0
    unrated: int = 0
    uncached_input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    cost_pico: int = 0
    fee_pico: int = 0
    spend_pico: int = 0
    units: dict[str, int] = {}

    def add(self, other: "SpendFigures") -> None:
        """Add another group's sums to these."""
        for figure in FIGURES:
            setattr(self, figure, getattr(self, figure) + getattr(other, figure))
        for unit, quantity in other.units.items():
            self.units[unit] = self.units.get(unit, 0) + quantity

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all is in the group."""
        return not any(getattr(self, figure) for figure in FIGURES) and not any(self.units.values())


class SpendRow(msgspec.Struct, frozen=True):
    """A group with its figures; `meter` is set where they are the tiered fees of a meter."""

    group: Group
    figures: SpendFigures
    meter: str | None = None


class SpendAnswer(msgspec.Struct, frozen=True):
    """Rows, sorted bytewise by their groups, and the whole; `as_of` says which state it is of."""

    query: SpendQuery
    rows: tuple[SpendRow, ...]
    totals: SpendFigures
    as_of: str


def spend_query(
    start_at: datetime,
    end_at: datetime,
    group_by: Sequence[str] = (),
    *,
    customers: Sequence[str] = (),
    providers: Sequence[str] = (),
    models: Sequence[str] = (),
    key_types: Sequence[str] = (),
) -> SpendQuery:
    """Check a question and bring it into form.

    Raises:
        InvalidParameter: an empty span, an unknown grouping, one that is named twice, an unknown key type.
    """
    if start_at >= end_at:
        raise InvalidParameter("to", "must be later than from")
    for name in group_by:
        if name not in GROUPINGS:
            raise InvalidParameter("group_by", f"must be some of {', '.join(GROUPINGS)}")
    if len(set(group_by)) < len(group_by):
        raise InvalidParameter("group_by", "must not name a grouping twice")
    kinds = tuple("byok" if word == "unmanaged" else word for word in key_types)
    if not set(kinds) <= {"managed", "byok"}:
        raise InvalidParameter("key_type", "must be managed or byok")
    try:
        span = split_at_hours(start_at, end_at)
    except OverflowError:
        raise InvalidParameter("from", "must lie before the last hour of year 9999") from None
    return SpendQuery(
        span, tuple(group_by), tuple(customers), tuple(providers), tuple(models), kinds
    )


def tiered_rows(
    query: SpendQuery, fees: Iterable[TieredFee], customer_ids: Mapping[int, str]
) -> list[SpendRow]:
    """Tiered fees as rows of their own: a fee is of a customer and a month, not of a model or an hour."""
    rows = []
    for fee in fees:
        known = {"customer": customer_ids[fee.customer], "month": fee.month.isoformat()[:7]}
        group = tuple(known.get(name) for name in query.group_by)
        figures = SpendFigures(fee_pico=fee.fee_pico, spend_pico=fee.fee_pico, units={})
        rows.append(SpendRow(group, figures, fee.slug))
    return rows


def merge(query: SpendQuery, parts: Iterable[SpendRow], as_of: str) -> SpendAnswer:
    """Merge what rollups, the log and meters say about the same groups into one sorted answer.

    Raises:
        TooManyRows: more than 10,000 groups.
    """
    groups: dict[tuple[Group, str | None], SpendFigures] = {}
    totals = SpendFigures(units={})
    for part in parts:
        groups.setdefault((part.group, part.meter), SpendFigures(units={})).add(part.figures)
        totals.add(part.figures)
    rows = [
        SpendRow(group, figures, meter)
        for (group, meter), figures in groups.items()
        if not figures.is_empty
    ]
    if len(rows) > MAX_ROWS:
        raise TooManyRows(f"more than {MAX_ROWS} rows; ask for a shorter time or fewer groupings")
    rows.sort(key=lambda row: (_bytewise(row.group), row.meter or ""))
    return SpendAnswer(query, tuple(rows), totals, as_of)


def _bytewise(group: Group) -> tuple[tuple[bool, bytes], ...]:
    """Sort as bytes, with unknown last."""
    return tuple((value is None, (value or "").encode()) for value in group)
