"""Customers and their settings."""

from typing import Any

from ledger.core.json_values import is_storable
from ledger.store.database import Connection
from ledger.store.sql_files import query

_CUSTOMERS = query("interning", "customers")
_ADD_CUSTOMERS = query("interning", "add_customers")
_LIST = query("configuration", "list_customers")
_SET_METER = query("configuration", "set_customer_meter")


async def find_customer(connection: Connection, customer_id: str) -> int | None:
    """The number of a customer, if there is one of that id."""
    if not is_storable(customer_id):
        return None
    rows = await connection.fetch(_CUSTOMERS, [customer_id])
    return rows[0]["customer"] if rows else None


async def add_customer(connection: Connection, customer_id: str) -> int:
    """The number of a customer, who is created if need be."""
    await connection.execute(_ADD_CUSTOMERS, [customer_id])
    number = await find_customer(connection, customer_id)
    assert number is not None  # noqa: S101 - it was added by the statement before
    return number


async def read_customers(
    connection: Connection, after: str, most: int, customer_id: str | None
) -> list[Any]:
    """Customers in the order of their ids, from the one after `after`; or just the one named."""
    rows: list[Any] = await connection.fetch(_LIST, after, most, customer_id)
    return rows


async def write_customer_meter(connection: Connection, customer: int, meter_slug: str) -> None:
    """Give a customer a meter."""
    await connection.execute(_SET_METER, customer, meter_slug)
