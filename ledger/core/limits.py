"""Spend limits: windows in UTC, thresholds that are crossed at >=, and the alerts that follow."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec

from ledger.core.instants import month_period
from pricing import PICO_PER_UNIT, parse_amount

WINDOW_KINDS = ("day", "week", "month", "total")
# The windows that whole months lie in, and so the fees of tiered meters.
TIERED_KINDS = ("month", "total")
ACTIONS = ("alert", "block")
DEFAULT_THRESHOLDS = ("0.5", "0.8", "1")
MAX_THRESHOLDS = 20
# Where the window that never ends is filed; answers show it as null.
TOTAL_START = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


class SpendLimit(msgspec.Struct, frozen=True):
    """A cap on a customer's spend in a window; `thresholds` are decimal shares of `amount_pico`.

    Windows that ended at or before `watched_from` raise nothing.
    """

    limit_id: str
    customer: int
    amount_pico: int
    window_kind: str
    thresholds: tuple[str, ...]
    action: str
    watched_from: datetime


class Window(msgspec.Struct, frozen=True):
    """A half-open stretch that a limit counts in; `end_at` is None for `total`."""

    start_at: datetime
    end_at: datetime | None


class Movement(msgspec.Struct, frozen=True):
    """What a batch adds to one window of one limit."""

    limit: SpendLimit
    window: Window
    spend_pico: int


class Alert(msgspec.Struct, frozen=True):
    """A threshold crossed in a window. Its id follows from what it is, so it exists once."""

    alert_id: str
    limit: SpendLimit
    threshold: str
    window: Window
    spend_pico: int
    raised_at: datetime


def window_of(kind: str, instant: datetime) -> Window:
    """The window of a kind that an instant lies in. Weeks begin on Monday."""
    if kind == "total":
        return Window(TOTAL_START, None)
    day = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    if kind == "day":
        return Window(day, day + _DAY)
    if kind == "week":
        monday = day - day.weekday() * _DAY
        return Window(monday, monday + 7 * _DAY)
    first = day.replace(day=1)
    return Window(first, (first + 32 * _DAY).replace(day=1))


def is_watched(limit: SpendLimit, window: Window) -> bool:
    """Whether the window was still open when the limit was set."""
    return window.end_at is None or window.end_at > limit.watched_from


def movements(
    spent: Iterable[tuple[int, datetime, int]],
    limits: dict[int, tuple[SpendLimit, ...]],
    fee_months: Collection[tuple[int, date]] = (),
) -> list[Movement]:
    """Sum (customer, instant, spend) by limit and window, sorted in the order in which rows are locked.

    `fee_months` are customers and months whose tiered fees move: their windows move by nothing, and are
    judged.
    """
    sums: dict[tuple[int, str, datetime], tuple[SpendLimit, Window, int]] = {}
    for customer, instant, spend_pico in spent:
        for limit in limits.get(customer, ()):
            window = window_of(limit.window_kind, instant)
            if is_watched(limit, window):
                key = (customer, limit.limit_id, window.start_at)
                before = sums[key][2] if key in sums else 0
                sums[key] = (limit, window, before + spend_pico)
    for customer, month in fee_months:
        for limit in limits.get(customer, ()):
            window = window_of(limit.window_kind, month_period(month).start_at)
            if limit.window_kind in TIERED_KINDS and is_watched(limit, window):
                sums.setdefault((customer, limit.limit_id, window.start_at), (limit, window, 0))
    return [Movement(*sums[key]) for key in sorted(sums)]


def reached_thresholds(limit: SpendLimit, spend_pico: int) -> list[str]:
    """The thresholds whose share of the amount is reached: spend >= threshold x amount, exactly."""
    return [
        threshold
        for threshold in limit.thresholds
        if spend_pico * PICO_PER_UNIT >= parse_amount(threshold) * limit.amount_pico
    ]


def crossing_alerts(movement: Movement, after_pico: int, raised_at: datetime) -> list[Alert]:
    """An alert for each threshold that a movement took its window across, upwards.

    A threshold may be crossed again after a correction; its alert has the same id then and is left out
    on writing.
    """
    limit = movement.limit
    before = reached_thresholds(limit, after_pico - movement.spend_pico)
    return [
        Alert(
            _alert_id(limit, share, movement.window),
            limit,
            share,
            movement.window,
            after_pico,
            raised_at,
        )
        for share in reached_thresholds(limit, after_pico)
        if share not in before
    ]


def check_thresholds(thresholds: Sequence[str]) -> tuple[str, ...]:
    """Bring thresholds into ascending order and one spelling, `0.50` as `0.5`.

    Raises:
        ValueError: not 1 to 20 distinct decimals above 0 and at most 10.
    """
    try:
        shares = {parse_amount(threshold): _shortest(threshold) for threshold in thresholds}
    except ValueError:
        shares = {}
    within = all(0 < share <= 10 * PICO_PER_UNIT for share in shares)
    if not within or not 1 <= len(shares) == len(thresholds) <= MAX_THRESHOLDS:
        raise ValueError(
            "must be 1 to 20 different decimal shares above 0 and at most 10, such as 0.8"
        )
    return tuple(shares[share] for share in sorted(shares))


def _shortest(threshold: str) -> str:
    return format(Decimal(threshold).normalize(), "f")


def _alert_id(limit: SpendLimit, threshold: str, window: Window) -> str:
    parts = (
        str(limit.customer),
        limit.limit_id,
        limit.window_kind,
        str(limit.amount_pico),
        threshold,
    )
    text = "\0".join((*parts, window.start_at.isoformat()))
    return "alt_" + hashlib.sha256(text.encode()).hexdigest()[:32]
