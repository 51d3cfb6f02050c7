"""Limit windows, alerts and the outbox."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from ledger.core.limits import Alert, Movement, SpendLimit
from ledger.store.database import Connection
from ledger.store.sql_files import query

_MOVE_WINDOWS = query("limits", "move_windows")
_RAISE_ALERTS = query("limits", "raise_alerts")
_POST = query("limits", "post")
_SET = query("limits", "set")
_FORGET_WINDOWS = query("limits", "forget_windows")
_HOURLY_SPEND = query("limits", "hourly_spend")
_ALL = query("limits", "all")
_ALERTS = query("limits", "alerts")


def limit_from_row(row: Any) -> SpendLimit:
    """A row of `spend_limit` as a value."""
    return SpendLimit(
        limit_id=row["limit_id"],
        customer=row["customer"],
        amount_pico=int(row["amount_pico"]),
        window_kind=row["window_kind"],
        thresholds=tuple(row["thresholds"]),
        action=row["action"],
        watched_from=row["watched_from"],
    )


async def move_windows(connection: Connection, movements: Sequence[Movement]) -> list[int]:
    """Add to limit windows; give the spend of each after the move, in the order of the movements."""
    rows = await connection.fetch(
        _MOVE_WINDOWS,
        [movement.limit.customer for movement in movements],
        [movement.limit.limit_id for movement in movements],
        [movement.window.start_at for movement in movements],
        [movement.spend_pico for movement in movements],
    )
    after = {
        (row["customer"], row["limit_id"], row["window_start"]): int(row["spend_pico"])
        for row in rows
    }
    return [
        after[movement.limit.customer, movement.limit.limit_id, movement.window.start_at]
        for movement in movements
    ]


async def raise_alerts(connection: Connection, alerts: Sequence[Alert]) -> list[Alert]:
    """Write alerts and give back those that did not exist before."""
    if not alerts:
        return []
    rows = await connection.fetch(
        _RAISE_ALERTS,
        [alert.limit.customer for alert in alerts],
        [alert.limit.limit_id for alert in alerts],
        [alert.limit.window_kind for alert in alerts],
        [alert.window.start_at for alert in alerts],
        [alert.limit.amount_pico for alert in alerts],
        [alert.threshold for alert in alerts],
        [alert.alert_id for alert in alerts],
        [alert.window.end_at for alert in alerts],
        [alert.spend_pico for alert in alerts],
        [alert.raised_at for alert in alerts],
    )
    new = {row["alert_id"] for row in rows}
    return [alert for alert in alerts if alert.alert_id in new]


async def post_messages(
    connection: Connection,
    topic: str,
    messages: Sequence[tuple[int, str, dict[str, Any]]],
    created_at: datetime,
) -> None:
    """Put (customer, subject, body) messages into the outbox."""
    if not messages:
        return
    customers, subjects, bodies = zip(*messages, strict=True)
    texts = [msgspec.json.encode(body).decode() for body in bodies]
    await connection.execute(_POST, customers, subjects, texts, topic, created_at)


async def write_limit(connection: Connection, limit: SpendLimit) -> None:
    """Write a limit as it stands from now on."""
    await connection.execute(
        _SET,
        limit.customer,
        limit.limit_id,
        limit.amount_pico,
        limit.window_kind,
        list(limit.thresholds),
        limit.action,
        limit.watched_from,
    )


async def forget_windows(connection: Connection, limit: SpendLimit) -> None:
    """Drop the windows of a limit, which are then opened anew."""
    await connection.execute(_FORGET_WINDOWS, limit.customer, limit.limit_id)


async def read_hourly_spend(
    connection: Connection, customer: int, from_at: datetime
) -> list[tuple[datetime, int]]:
    """What a customer has spent, hour by hour, in pico units."""
    rows = await connection.fetch(_HOURLY_SPEND, customer, from_at)
    return [(row["hour_at"], int(row["spend_pico"])) for row in rows]


async def read_limits(connection: Connection, customers: Sequence[str] | None) -> list[Any]:
    """The limits of some customers, or of all."""
    rows: list[Any] = await connection.fetch(_ALL, customers)
    return rows


async def read_alerts(
    connection: Connection, customers: Sequence[str] | None, most: int
) -> list[Any]:
    """The oldest alerts of some customers, or of all."""
    rows: list[Any] = await connection.fetch(_ALERTS, customers, most)
    return rows
