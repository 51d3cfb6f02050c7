"""Moving the windows of limits, judging them, and raising alerts.

The windows hold what events cost. The tiered fees of the months in them are added where they are judged.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from ledger.core.configuration import PublishedMeter
from ledger.core.instants import format_instant
from ledger.core.limits import TIERED_KINDS, TOTAL_START, Alert, Movement, crossing_alerts
from ledger.core.tiered_fees import MeterUsage, UsageKey, fees_by_window, less, tiered_fees
from ledger.store.database import Connection
from ledger.store.interning import Interned
from ledger.store.limits import move_windows, post_messages, raise_alerts
from ledger.store.log import Decision
from ledger.store.meter_usage import read_usage
from pricing import format_amount


class Tiered(msgspec.Struct, frozen=True):
    """Meters with tiers, by number, and what the transaction at hand adds to their usage.

    `added` is None where windows are judged from nothing, because they are opened.
    """

    meters: Mapping[int, PublishedMeter]
    added: MeterUsage | None


async def move_limits(
    connection: Connection,
    moves: Sequence[Movement],
    raised_at: datetime,
    interned: Interned,
    tiered: Tiered,
) -> list[Decision]:
    """Move the windows of limits and raise what is crossed, exactly once; the alerts are decisions."""
    if not moves:
        return []
    after = await move_windows(connection, moves)
    # Read by a later statement than the one that locked the windows: whoever held them before is seen.
    judged = await _with_tiered_fees(connection, moves, after, tiered)
    crossing = [
        alert
        for move, after_pico in judged
        for alert in crossing_alerts(move, after_pico, raised_at)
    ]
    return await announce(connection, crossing, raised_at, interned)


async def announce(
    connection: Connection, crossing: Sequence[Alert], raised_at: datetime, interned: Interned
) -> list[Decision]:
    """Raise alerts that were not raised before, and tell of them; give the decisions to do so."""
    raised = await raise_alerts(connection, crossing)
    await interned.learn_words(connection, {alert.limit.customer for alert in raised}, ())
    messages = [
        (
            alert.limit.customer,
            alert.alert_id,
            alert_body(alert, interned.customer_words[alert.limit.customer][0]),
        )
        for alert in raised
    ]
    await post_messages(connection, "alert", messages, raised_at)
    return [Decision("alert_raised", *message) for message in messages]


def alert_body(alert: Alert, customer_id: str) -> dict[str, Any]:
    """An alert as the interface shows it."""
    return {
        "alert_id": alert.alert_id,
        "limit_id": alert.limit.limit_id,
        "customer_id": customer_id,
        "threshold": alert.threshold,
        "window_start": window_start_text(alert.window.start_at),
        "window_end": instant_text(alert.window.end_at),
        "limit_amount": limit_amount_text(alert.limit.amount_pico),
        "spend": format_amount(alert.spend_pico),
        "raised_at": format_instant(alert.raised_at),
    }


def limit_amount_text(amount_pico: int) -> str:
    """A limit's amount with two places, or as many as it needs: `100.00`."""
    whole, _, places = format_amount(amount_pico).partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def window_start_text(start_at: datetime) -> str | None:
    """The start of a window; None for the one that never ends."""
    return None if start_at == TOTAL_START else format_instant(start_at)


def instant_text(instant: datetime | None) -> str | None:
    """The end of a window, if it has one."""
    return None if instant is None else format_instant(instant)


async def _with_tiered_fees(
    connection: Connection, moves: Sequence[Movement], after: Sequence[int], tiered: Tiered
) -> list[tuple[Movement, int]]:
    """Movements and the spend after them, both with the tiered fees in their windows."""
    usage = await _usage_in_windows(connection, moves) if tiered.meters else {}
    before = {} if tiered.added is None else less(usage, tiered.added)
    fees = fees_by_window(tiered_fees(usage, tiered.meters))
    fees_before = fees_by_window(tiered_fees(before, tiered.meters))
    judged = []
    for move, after_pico in zip(moves, after, strict=True):
        key = (move.limit.customer, move.limit.window_kind, move.window.start_at)
        moved_pico = move.spend_pico + fees.get(key, 0) - fees_before.get(key, 0)
        whole = msgspec.structs.replace(move, spend_pico=moved_pico)
        judged.append((whole, after_pico + fees.get(key, 0)))
    return judged


async def _usage_in_windows(connection: Connection, moves: Sequence[Movement]) -> MeterUsage:
    """What the tiered fees in windows follow from: of months those that move, and everything for the rest."""
    windows = [m for m in moves if m.limit.window_kind in TIERED_KINDS]
    endless = {m.limit.customer for m in windows if m.window.end_at is None}
    months = [m for m in windows if m.limit.customer not in endless]
    usage: dict[UsageKey, int] = {}
    if endless:
        usage |= await read_usage(connection, endless)
    if months:
        start_at = min(m.window.start_at for m in months)
        end_at = max(m.window.end_at for m in months if m.window.end_at is not None)
        customers = {m.limit.customer for m in months}
        usage |= await read_usage(connection, customers, (start_at, end_at))
    return usage
