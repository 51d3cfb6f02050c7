"""A conflict side by side: what was sent, what is recorded, and every field in which they differ."""

from datetime import datetime
from typing import Any

from ledger.core.comparison import Difference, differences
from ledger.core.instants import format_instant
from ledger.core.rating import RatedStatement
from ledger.core.reading import read_statement
from ledger.core.rows import Dimension
from ledger.core.shown import quantity_body
from ledger.core.statements import Statement
from ledger.services.requests import request_body, statement_body
from ledger.store.customers import find_customer
from ledger.store.database import Connection
from ledger.store.events import read_recorded
from ledger.store.quarantine import Kept
from ledger.store.requests import read_revisions

# Fields that a hint may stand in, where a record is not kept whole.
_TEXTS = ("model", "provider", "service_tier", "region", "accelerator", "meter_slug", "metadata")


async def conflict_body(connection: Connection, row: Kept) -> dict[str, Any] | None:
    """Both statements of a conflict; None where what is kept cannot be read, or nothing is recorded.

    `recorded` is what a resend is compared with: the first statement, as it stood before corrections.
    """
    sent = read_statement(row["record"], row["first_seen_at"], row["bound_to"])
    if not isinstance(sent, Statement):
        return None
    customer = await find_customer(connection, sent.customer_id)
    if customer is None:
        return None
    key = (sent.key.bits, customer)
    recorded = (await read_recorded(connection, [key])).get(key)
    if recorded is None or recorded.statement is None:
        return None
    revisions = (await read_revisions(connection, [key[0]], [customer]))[key]
    first = [each for each in revisions if each["revision"] <= 1]
    return {
        "sent": statement_body(_unpriced(sent)) | {"unrated": False},
        "recorded": request_body(first),
        "is_corrected": len(revisions) > len(first),
        "differences": [
            _difference_body(each)
            for each in differences(recorded.statement, sent)
            if row["is_whole"] or each.field not in _TEXTS  # a hint in one is no difference
        ],
    }


def _unpriced(sent: Statement) -> RatedStatement:
    """What was sent and did not count has no price."""
    dimension = Dimension(
        sent.provider,
        sent.model,
        sent.key_type,
        sent.service_tier,
        sent.is_batch,
        None,
        None,
        sent.region,
        sent.accelerator,
    )
    return RatedStatement(sent, dimension, sent.quantities, None, None, None, sent.meter_slug)


def _difference_body(difference: Difference) -> dict[str, Any]:
    field = difference.field
    return {
        "field": field,
        "sent": _shown(field, difference.resent),
        "recorded": _shown(field, difference.recorded),
    }


def _shown(field: str, value: Any) -> Any:
    """A value of a statement as answers show it."""
    if isinstance(value, datetime):
        return format_instant(value)
    if field == "provider_key_type":
        return "unmanaged" if value == "byok" else "managed"
    return quantity_body(field, value) if type(value) is int else value
