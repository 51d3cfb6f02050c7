"""`ledger alerts`."""

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import json_option, limit_option, on_ledger, print_json, print_table
from ledger.services.limits import list_alerts

COLUMNS = {
    "customer_id": "customer",
    "threshold": "threshold",
    "limit_amount": "of",
    "window_start": "window",
    "spend": "spend",
    "raised_at": "raised",
}


@click.group("alerts")
def command_group() -> None:
    """List the alerts that limits have raised.

    Example: ledger alerts list
    """


@command_group.command("list")
@click.option("--customer", "customers", multiple=True, help="Only this customer; repeatable.")
@limit_option(1000)
@json_option
@on_ledger
async def list_(ledger: Ledger, *, customers: tuple[str, ...], most: int, as_json: bool) -> None:
    """List alerts, oldest first.

    Example: ledger alerts list --customer acme
    """
    rows = await list_alerts(ledger.database, customers or None, most)
    if as_json:
        print_json({"alerts": rows})
    else:
        print_table("Alerts", COLUMNS, rows)
