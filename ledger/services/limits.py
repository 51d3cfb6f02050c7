"""Setting spend limits and reading them and their alerts."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

import msgspec

from ledger.clock import Clock
from ledger.core.errors import FieldError, InvalidRecord
from ledger.core.instants import format_instant
from ledger.core.limits import (
    ACTIONS,
    DEFAULT_THRESHOLDS,
    MAX_THRESHOLDS,
    WINDOW_KINDS,
    SpendLimit,
    check_thresholds,
    movements,
    window_of,
)
from ledger.core.shapes import PLAIN, PlainText, Reason, described
from ledger.services.customers import known_customer
from ledger.services.decisions import DecisionBatch, deciding
from ledger.services.limit_windows import (
    Tiered,
    instant_text,
    limit_amount_text,
    move_limits,
    window_start_text,
)
from ledger.store.database import Database
from ledger.store.limits import (
    forget_windows,
    limit_from_row,
    read_alerts,
    read_hourly_spend,
    read_limits,
    write_limit,
)
from ledger.store.meters import load_meters
from pricing import format_amount, parse_amount

MAX_ID_CHARACTERS = 255
_AMOUNT = r"^([0-9]{0,14}[1-9][0-9]{0,12}(\.[0-9]{1,12})?|[0-9]{1,27}\.[0-9]{0,11}[1-9])$"
_SHARE = r"^(10(\.0{1,12})?|[1-9](\.[0-9]{1,12})?|0\.[0-9]{0,11}[1-9])$"


class LimitRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A limit as it is asked for; without `limit_id` it is named after customer, window and action."""

    customer_id: PlainText
    amount: Annotated[str, described("A decimal above 0.", pattern=_AMOUNT, maxLength=40)]
    window: Annotated[str, described("In UTC.", enum=WINDOW_KINDS)] = "month"
    thresholds: Annotated[
        tuple[Annotated[str, described("", pattern=_SHARE)], ...],
        described(
            "Shares of the amount, above 0 and at most 10.",
            minItems=1,
            maxItems=MAX_THRESHOLDS,
            uniqueItems=True,
        ),
    ] = DEFAULT_THRESHOLDS
    action: Annotated[str, described("What happens at 1.", enum=ACTIONS)] = "alert"
    limit_id: (
        Annotated[
            str, described("One limit.", minLength=1, maxLength=MAX_ID_CHARACTERS, pattern=PLAIN)
        ]
        | None
    ) = None
    reason: Reason | None = None


async def set_limit(
    database: Database, clock: Clock, actor: str, request: LimitRequest
) -> dict[str, Any]:
    """Set a limit, judge the windows that are open, and give the limit as it stands.

    Raises:
        InvalidRecord: a field outside its rule.
        NotFound: no such customer.
    """
    amount_pico, thresholds = _checked(request)
    async with deciding(database, clock, actor, reason=request.reason) as batch:
        customer = await known_customer(batch.connection, request.customer_id)
        limit = SpendLimit(
            limit_id=request.limit_id or _default_id(request),
            customer=customer,
            amount_pico=amount_pico,
            window_kind=request.window,
            thresholds=thresholds,
            action=request.action,
            watched_from=batch.decided_at,
        )
        body = limit_body(limit, request.customer_id)
        batch.record("limit_set", customer, limit.limit_id, body)
        await write_limit(batch.connection, limit)
        await _open_windows(batch, limit)
        return body


async def list_limits(database: Database, customers: Sequence[str] | None) -> list[dict[str, Any]]:
    """The limits of some customers, or of all."""
    async with database.question() as connection:
        rows = await read_limits(connection, customers)
    return [limit_body(limit_from_row(row), row["customer_id"]) for row in rows]


async def list_alerts(
    database: Database, customers: Sequence[str] | None, most: int
) -> list[dict[str, Any]]:
    """The alerts of some customers, or of all, oldest first."""
    async with database.question() as connection:
        rows = await read_alerts(connection, customers, most)
    return [
        {
            "alert_id": row["alert_id"],
            "limit_id": row["limit_id"],
            "customer_id": row["customer_id"],
            "threshold": row["threshold"],
            "window_start": window_start_text(row["window_start"]),
            "window_end": instant_text(row["window_end"]),
            "limit_amount": limit_amount_text(int(row["limit_pico"])),
            "spend": format_amount(int(row["spend_pico"])),
            "raised_at": format_instant(row["raised_at"]),
        }
        for row in rows
    ]


def limit_body(limit: SpendLimit, customer_id: str) -> dict[str, Any]:
    """A limit as the interface shows it."""
    return {
        "limit_id": limit.limit_id,
        "customer_id": customer_id,
        "amount": limit_amount_text(limit.amount_pico),
        "window": limit.window_kind,
        "thresholds": list(limit.thresholds),
        "action": limit.action,
    }


async def _open_windows(batch: DecisionBatch, limit: SpendLimit) -> None:
    """Fill the windows that are still open with what is spent already, and raise what is reached."""
    await forget_windows(batch.connection, limit)
    open_from = window_of(limit.window_kind, batch.decided_at).start_at
    spent = await read_hourly_spend(batch.connection, limit.customer, open_from)
    moves = movements(
        ((limit.customer, hour_at, spend_pico) for hour_at, spend_pico in spent),
        {limit.customer: (limit,)},
    )
    tiered = Tiered(await load_meters(batch.connection), None)
    batch.decisions += await move_limits(
        batch.connection, moves, batch.decided_at, batch.interned, tiered
    )


def _checked(request: LimitRequest) -> tuple[int, tuple[str, ...]]:
    errors = []
    amount_pico, thresholds = 0, request.thresholds
    with suppress(ValueError):
        amount_pico = parse_amount(request.amount)
    if amount_pico <= 0:
        errors.append(
            FieldError("amount", "invalid_amount", "must be a decimal above 0, such as 100.00")
        )
    try:
        thresholds = check_thresholds(request.thresholds)
    except ValueError as error:
        errors.append(FieldError("thresholds", "invalid_thresholds", str(error)))
    for field, value, words in (
        ("window", request.window, WINDOW_KINDS),
        ("action", request.action, ACTIONS),
    ):
        if value not in words:
            errors.append(FieldError(field, "unknown_value", f"must be one of {', '.join(words)}"))
    if request.limit_id is not None and not _is_id(request.limit_id):
        errors.append(
            FieldError("limit_id", "wrong_length", "must have 1 to 255 characters, none NUL")
        )
    if errors:
        raise InvalidRecord(errors)
    return amount_pico, thresholds


def _is_id(text: str) -> bool:
    return 1 <= len(text) <= MAX_ID_CHARACTERS and "\x00" not in text


def _default_id(request: LimitRequest) -> str:
    """One limit for each customer, window and action, unless more are named."""
    text = f"{request.customer_id}\0{request.window}\0{request.action}"
    return "lim_" + hashlib.sha256(text.encode()).hexdigest()[:16]
