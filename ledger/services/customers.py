"""Customers: who pays, and by which meter."""

from typing import Any

from ledger.clock import Clock
from ledger.core.configuration import current_meters
from ledger.core.errors import FieldError, InvalidRecord, NotFound, UnprocessableDecision
from ledger.core.json_values import is_storable
from ledger.services.decisions import deciding
from ledger.store.customers import (
    add_customer,
    find_customer,
    read_customers,
    write_customer_meter,
)
from ledger.store.database import Connection, Database
from ledger.store.meters import load_meters

MAX_ID_CHARACTERS = 255


async def known_customer(connection: Connection, customer_id: str) -> int:
    """The number of a customer.

    Raises:
        NotFound: there is none of that id.
    """
    customer = await find_customer(connection, customer_id)
    if not customer:
        raise NotFound(f"no customer {customer_id!r}")
    return customer


async def set_customer(
    database: Database,
    clock: Clock,
    actor: str,
    customer_id: str,
    meter_slug: str,
    reason: str | None = None,
) -> dict[str, Any]:
    """Give a customer a meter; it counts for every event recorded from now on. A new customer is created.

    Raises:
        InvalidRecord: no id that a customer can have.
        UnprocessableDecision: no such meter.
    """
    check_customer_id(customer_id)
    async with deciding(database, clock, actor, reason=reason) as batch:
        if meter_slug not in current_meters(await load_meters(batch.connection)):
            raise UnprocessableDecision(
                f"no meter {meter_slug!r}; make it with `ledger meters set`", code="unknown_meter"
            )
        customer = await add_customer(batch.connection, customer_id)
        await write_customer_meter(batch.connection, customer, meter_slug)
        body = {"customer_id": customer_id, "meter_slug": meter_slug}
        batch.record("customer_changed", customer, customer_id, body)
        return body


def check_customer_id(customer_id: str) -> None:
    """Check an id before a customer is made of it.

    Raises:
        InvalidRecord: no id that a customer can have.
    """
    if not 1 <= len(customer_id) <= MAX_ID_CHARACTERS or not is_storable(customer_id):
        detail = "must have 1 to 255 characters, none NUL"
        raise InvalidRecord([FieldError("customer_id", "wrong_length", detail)])


async def list_customers(
    database: Database, *, after: str = "", most: int = 100, only: str | None = None
) -> list[dict[str, Any]]:
    """Customers in the order of their ids."""
    async with database.connection() as connection:
        rows = await read_customers(connection, after, most, only)
    return [dict(row) for row in rows]
