"""`ledger alerts`."""

from collections.abc import Sequence
from typing import Any

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import json_option, limit_option, on_ledger, print_json, print_table
from ledger.cli.tables import cut
from ledger.services.limits import list_alerts

COLUMNS = {
    "customer_id": "customer",
    "threshold": "share",
    "limit_amount": "of",
    "window_start": "from",
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
        print_alerts(rows)


def print_alerts(rows: Sequence[dict[str, Any]]) -> None:
    """Alerts as a table."""
    title = "Alerts (spend cut to 4 places; --json has all)"
    print_table(title, COLUMNS, [_for_reading(row) for row in rows], spare=("raised_at",))


def _for_reading(row: dict[str, Any]) -> dict[str, Any]:
    """Windows begin at midnight; a minute tells when an alert was raised."""
    return {
        **row,
        "spend": cut(row["spend"]),
        "window_start": row["window_start"] and row["window_start"][:10],
        "raised_at": f"{row['raised_at'][:16]}Z",
    }
