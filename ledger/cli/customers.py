"""`ledger customers`."""

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import (
    ACTOR,
    json_option,
    on_ledger,
    print_json,
    print_table,
    reason_option,
)
from ledger.core.errors import NotFound
from ledger.services.customers import list_customers, set_customer

COLUMNS = {"customer_id": "customer", "meter_slug": "meter"}
MOST = 1_000_000


@click.group("customers")
def command_group() -> None:
    """List customers and give them meters.

    Example: ledger customers list
    """


@command_group.command("list")
@json_option
@on_ledger
async def list_(ledger: Ledger, *, as_json: bool) -> None:
    """List customers.

    Example: ledger customers list
    """
    rows = await list_customers(ledger.database, most=MOST)
    if as_json:
        print_json({"customers": rows})
    else:
        print_table("Customers", COLUMNS, rows)


@command_group.command("show")
@click.argument("customer_id")
@json_option
@on_ledger
async def show(ledger: Ledger, *, customer_id: str, as_json: bool) -> None:
    """Show one customer.

    Example: ledger customers show acme
    """
    rows = await list_customers(ledger.database, only=customer_id, most=1)
    if not rows:
        raise NotFound(f"no customer {customer_id!r}")
    if as_json:
        print_json(rows[0])
    else:
        print_table("Customer", COLUMNS, rows)


@command_group.command("set")
@click.argument("customer_id")
@click.option(
    "--meter", "meter_slug", required=True, help="Slug of the meter for its future events."
)
@reason_option
@json_option
@on_ledger
async def set_(
    ledger: Ledger, *, customer_id: str, meter_slug: str, reason: str | None, as_json: bool
) -> None:
    """Give a customer a meter; a new customer is created.

    Example: ledger customers set acme --meter standard
    """
    body = await set_customer(ledger.database, ledger.clock, ACTOR, customer_id, meter_slug, reason)
    if as_json:
        print_json(body)
    else:
        print_table("Customer", COLUMNS, [body])
