"""`ledger unmetered`."""

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import json_option, limit_option, on_ledger, print_json, print_table, remark
from ledger.services.requests import MAX_PAGE, RequestFilter, list_requests

COLUMNS = {
    "customer_id": "customer",
    "request_id": "request",
    "status": "status",
    "timestamp": "seen",
    "model": "model",
}


@click.command("unmetered")
@click.option("--customer", "customer_id", help="Only this customer.")
@click.option(
    "--status",
    type=click.Choice(["pending", "error", "unmetered"]),
    default="unmetered",
    help="Only those that said so last; unmetered: both.",
)
@limit_option(1000)
@json_option
@on_ledger
async def command_group(
    ledger: Ledger, *, customer_id: str | None, status: str, most: int, as_json: bool
) -> None:
    """List requests that never completed.

    They were last seen as pending or error, and count nothing.

    Example: ledger unmetered --status pending
    """
    wanted = RequestFilter(customer_id=customer_id, status=status)
    rows: list[dict[str, object]] = []
    cursor, has_more = None, True
    while has_more and len(rows) < most:
        page = await list_requests(
            ledger.database, wanted, cursor=cursor, most=min(MAX_PAGE, most - len(rows))
        )
        rows += page["data"]
        cursor, has_more = page["next_cursor"], page["has_more"]
    if as_json:
        print_json({"requests": rows, "has_more": has_more})
        return
    print_table("Unmetered", COLUMNS, rows)
    if has_more:
        remark(f"there are more; --limit {most} cut the list")
