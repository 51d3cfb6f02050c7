"""`ledger limits`."""

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
from ledger.core.limits import ACTIONS, DEFAULT_THRESHOLDS, WINDOW_KINDS
from ledger.services.limits import LimitRequest, list_limits, set_limit

COLUMNS = {
    "customer_id": "customer",
    "amount": "amount",
    "window": "window",
    "thresholds": "thresholds",
    "action": "action",
    "limit_id": "limit",
}


@click.group("limits")
def command_group() -> None:
    """Set and list spend limits.

    Example: ledger limits list
    """


@command_group.command("set")
@click.argument("customer_id")
@click.option("--amount", required=True, help="In the ledger's currency, such as 100.00.")
@click.option("--window", default="month", help=f"{', '.join(WINDOW_KINDS)}; UTC.")
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    help=f"Share of the amount that raises an alert; repeatable. Default {', '.join(DEFAULT_THRESHOLDS)}.",
)
@click.option("--action", default="alert", help=f"{', '.join(ACTIONS)}.")
@click.option(
    "--id", "limit_id", help="Name the limit; by default one per customer, window, action."
)
@reason_option
@json_option
@on_ledger
async def set_(
    ledger: Ledger,
    *,
    customer_id: str,
    amount: str,
    window: str,
    thresholds: tuple[str, ...],
    action: str,
    limit_id: str | None,
    reason: str | None,
    as_json: bool,
) -> None:
    """Set a limit for a customer; what is spent in the open window counts at once.

    Example: ledger limits set acme --amount 100.00 --window month
    """
    request = LimitRequest(
        customer_id, amount, window, thresholds or DEFAULT_THRESHOLDS, action, limit_id, reason
    )
    body = await set_limit(ledger.database, ledger.clock, ACTOR, request)
    if as_json:
        print_json(body)
    else:
        print_table("Limit", COLUMNS, [body])


@command_group.command("list")
@click.option("--customer", "customers", multiple=True, help="Only this customer; repeatable.")
@json_option
@on_ledger
async def list_(ledger: Ledger, *, customers: tuple[str, ...], as_json: bool) -> None:
    """List spend limits.

    Example: ledger limits list --customer acme
    """
    rows = await list_limits(ledger.database, customers or None)
    if as_json:
        print_json({"limits": rows})
    else:
        print_table("Limits", COLUMNS, rows)
