"""Questions that the ledger's parts must agree on, asked in one snapshot."""

from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec

from ledger.store.configuration import load_book
from ledger.store.database import Connection
from ledger.store.sql_files import query
from pricing import Meter, ModelRates

MAX_OFFENDERS = 10  # as many as the queries give
CHUNK_EVENTS = 10_000

CHECKS = (
    "events_equal_rollups",
    "event_units_equal_rollups",
    "rollups_equal_limit_windows",
    "alerts_complete",
    "billed_and_uninvoiced_equal_events",
    "invoices_add_up",
    "invoices_equal_decisions",
    "invoice_numbers_gapless",
    "revisions_whole",
    "batches_whole",
)
WARNINGS = ("unrated", "unmetered", "quarantined", "ids_under_two_customers")

_QUERIES = {name: query("verification", name) for name in CHECKS + WARNINGS}
_AMOUNTS = query("verification", "amounts")
_PRICES = query("verification", "prices")
_CUSTOMER_IDS = query("verification", "customer_ids")


class Prices(msgspec.Struct, frozen=True):
    """What the events of a dimension are priced by; `rates` None means that nothing prices them.

    `is_rated` says whether the dimension names a rate table at all.
    """

    is_rated: bool
    rates: ModelRates | None
    meter: Meter | None


async def find_offenders(connection: Connection, name: str) -> tuple[int, list[dict[str, Any]]]:
    """Ask one question: how many places disagree, and the first ten of them."""
    rows = await connection.fetch(_QUERIES[name])
    offenders = [msgspec.json.decode(row["offender"]) for row in rows]
    return int(rows[0]["found"]) if rows else 0, offenders


async def read_prices(connection: Connection) -> dict[int, Prices]:
    """What every dimension is priced by."""
    tables = {each.version_id: each.table for each in (await load_book(connection)).versions()}
    prices = {}
    for dimension, model, rate_version, *meter in await connection.fetch(_PRICES):
        table = tables.get(rate_version)
        prices[dimension] = Prices(
            is_rated=rate_version is not None,
            rates=table.models.get(model) if table else None,
            meter=None if meter[0] is None else Meter(*meter),
        )
    return prices


async def read_amounts(connection: Connection) -> AsyncIterator[list[Any]]:
    """Every event with all that its amounts follow from, a chunk at a time, inside a transaction."""
    cursor = await connection.cursor(_AMOUNTS)
    while rows := await cursor.fetch(CHUNK_EVENTS):
        yield rows


async def read_customer_ids(connection: Connection, customers: Iterable[int]) -> dict[int, str]:
    """The ids of customers by their numbers."""
    return dict(await connection.fetch(_CUSTOMER_IDS, list(customers)))
