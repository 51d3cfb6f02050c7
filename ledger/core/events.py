"""From a rated statement to the row of the log, and the words that came with it."""

from collections.abc import Callable

import msgspec

from ledger.core.digests import text_digest
from ledger.core.rating import RatedStatement
from ledger.core.rows import EventText, UsageEvent
from ledger.core.statements import Statement, Status
from pricing import (
    Costs,
    Quantities,
)


def event_text(
    statement: Statement, customer: int, salts: Callable[[], bytes]
) -> tuple[EventText, bytes] | None:
    """The words of a first sighting and their digest; None when there are no words."""
    response_id, metadata, fields = statement.response_id, statement.metadata, statement.fields
    if response_id is None and metadata is None and fields is None:
        return None
    salt = salts()
    text = EventText(
        statement.key.bits,
        customer,
        1 if statement.status is Status.COMPLETED else 0,
        response_id,
        None if metadata is None else msgspec.json.encode(metadata).decode(),
        fields,
        salt,
    )
    return text, text_digest(salt, response_id, metadata, fields)


def usage_event(
    rated: RatedStatement,
    customer: int,
    dimension: int,
    lane: int,
    batch: int,
    digest: bytes | None = None,
    revision: int = 1,
) -> UsageEvent:
    """The row of a statement: of revision 1, or the one that replaces it; revision 0 while unmetered.

    `digest` is that of the words that came with it.
    """
    statement, quantities, costs = rated.statement, rated.quantities, rated.costs
    is_metered = rated.is_metered
    return UsageEvent(
        statement.key.bits,
        statement.occurred_at,
        quantities.uncached_input_tokens,
        quantities.cached_input_tokens,
        quantities.output_tokens,
        costs.input_pico if costs else None,
        costs.cached_input_pico if costs else None,
        costs.output_pico if costs else None,
        sum(costs.other_pico.values()) if costs and costs.other_pico else 0 if costs else None,
        rated.fee_pico,
        batch,
        lane,
        customer,
        dimension,
        statement.stated,
        ("usage" if revision == 1 else "replacement") if is_metered else statement.status.value,
        revision if is_metered else 0,
        1 if is_metered else 0,
        1 if rated.is_unrated else 0,
        statement.key.opaque_id,
        _other_units(quantities, costs),
        statement.reported_cost,
        digest,
    )


def spend_pico(event: UsageEvent, key_type: str) -> int:
    """What the customer owes for a row, signed as the row is; 0 while unrated."""
    owed = event.fee_pico or 0
    if key_type == "byok":
        return owed
    parts = (event.input_pico, event.cached_input_pico, event.output_pico, event.other_pico)
    return owed + sum(part or 0 for part in parts)


def _other_units(quantities: Quantities, costs: Costs | None) -> str | None:
    """The JSON of `other_units`: {unit: [quantity, amount or null]}."""
    if not quantities.other:
        return None
    amounts = (costs.other_pico if costs else None) or {}
    pairs = {unit: [count, amounts.get(unit)] for unit, count in sorted(quantities.other.items())}
    return msgspec.json.encode(pairs).decode()
