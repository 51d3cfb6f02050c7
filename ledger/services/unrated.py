"""Usage without a price: announced when it comes, listed until a table has one."""

from collections.abc import Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from ledger.core.explanation import table_for, unrated_reason
from ledger.core.instants import format_instant, month_of, month_period
from ledger.core.rows import Dimension, UsageEvent
from ledger.core.shown import quantities_body
from ledger.core.unrated import Called, UnratedUsage, called_as
from ledger.logs import logger
from ledger.store.configuration import load_book
from ledger.store.database import Connection, Database
from ledger.store.interning import Interned
from ledger.store.log import Decision
from ledger.store.unrated import (
    GROUPED_BY,
    announce,
    read_announced,
    read_unrated,
    read_unrated_units,
)
from pricing import Quantities, RateBook

MOST_GROUPS = 1000
_LOG = logger(__name__)
_IS_UNRATED = itemgetter(UsageEvent._fields.index("unrated"))


async def announce_unrated(
    connection: Connection, events: Sequence[UsageEvent], raised_at: datetime, interned: Interned
) -> list[Decision]:
    """Tell of usage that came without a price, in the caller's transaction; give the decisions to do so.

    Once for each customer, month and way of calling a model. Rows of the outbox are locked in the order of
    their keys, after everything that `post` writes.
    """
    if not any(map(_IS_UNRATED, events)):
        return []
    found = {
        (event.customer, month_of(event.occurred_at), event.dimension)
        for event in events
        if event.unrated and event.revision % 2 == 1
    }
    if not found:
        return []
    await interned.learn_words(
        connection, {customer for customer, *_ in found}, {number for *_, number in found}
    )
    messages = await announce(connection, _messages(found, interned), raised_at)
    for _, alert_id, body in messages:
        # Which model and whose, the decision says; names of others stay out of the log.
        _LOG.info("unrated_found", month=body["month"], alert=alert_id)
    return [Decision("unrated_found", *message) for message in messages]


async def list_unrated(
    database: Database, customer_ids: Sequence[str] | None = None, most: int = MOST_GROUPS
) -> dict[str, Any]:
    """What counts and has no price, by customer and way of calling a model, with why and since when."""
    async with database.snapshot() as connection:
        rows = await read_unrated(connection, customer_ids, most + 1)
        customers = {row["customer"] for row in rows}
        units = await read_unrated_units(connection, customers)
        announced = await read_announced(connection, customers)
        book = await load_book(connection)
    return {
        "data": [
            _group_body(
                row, units.get(tuple(row[name] for name in GROUPED_BY), {}), announced, book
            )
            for row in rows[:most]
        ],
        "has_more": len(rows) > most,
    }


def _messages(
    found: set[tuple[int, date, int]], interned: Interned
) -> list[tuple[int, str, dict[str, Any]]]:
    """An alert for each kind of usage, in the order of their keys."""
    usages = {
        UnratedUsage(customer, month, called_as(interned.dimension_words[number]))
        for customer, month, number in found
    }
    return sorted(
        (
            (usage.customer, usage.alert_id, usage.body(interned.customer_words[usage.customer][0]))
            for usage in usages
        ),
        key=itemgetter(0, 1),
    )


def _group_body(
    row: Any, units: dict[str, int], announced: dict[str, datetime], book: RateBook
) -> dict[str, Any]:
    called = Called(
        row["provider"],
        row["model"],
        row["service_tier"],
        row["is_batch"],
        row["region"],
        row["accelerator"],
    )
    quantities = Quantities(
        int(row["uncached_input_tokens"]),
        int(row["cached_input_tokens"]),
        int(row["output_tokens"]),
        units or None,
    )
    alerted_at = _alerted_at(row, called, announced)
    return {
        "customer_id": row["customer_id"],
        **called._asdict(),
        "key_type": row["key_type"],
        "requests": int(row["requests"]),
        **quantities_body(
            quantities.uncached_input_tokens,
            quantities.cached_input_tokens,
            quantities.output_tokens,
            units,
        ),
        "first_hour": format_instant(row["first_hour_at"]),
        "last_hour": format_instant(row["last_hour_at"]),
        "reason": _reason(row, called, quantities, book),
        "alerted_at": None if alerted_at is None else format_instant(alerted_at),
    }


def _alerted_at(row: Any, called: Called, announced: dict[str, datetime]) -> datetime | None:
    """When the first of the months was announced that the group has usage in."""
    month, last = month_of(row["first_hour_at"]), month_of(row["last_hour_at"])
    while month <= last:
        usage = UnratedUsage(row["customer"], month, called)
        if (alerted_at := announced.get(usage.alert_id)) is not None:
            return alerted_at
        month = month_period(month).end
    return None


def _reason(row: Any, called: Called, quantities: Quantities, book: RateBook) -> str:
    """Why the latest of it has no price, by the tables known now."""
    dimension = Dimension(
        called.provider,
        called.model,
        row["key_type"],
        called.service_tier,
        called.batch,
        None,
        None,
        called.region,
        called.accelerator,
    )
    table = table_for(book, called.provider, row["last_hour_at"], None)
    return unrated_reason(dimension, quantities, table)
