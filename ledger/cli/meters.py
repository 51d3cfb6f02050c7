"""`ledger meters`."""

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
from ledger.services.meters import list_meters, set_meter

COLUMNS = {"meter_slug": "meter", "version": "version", "kind": "kind", "percentage": "percentage"}


@click.group("meters")
def command_group() -> None:
    """Set and list meters: the fees on top of cost."""


@command_group.command("set")
@click.argument("slug")
@click.option("--percentage", help="Of cost, such as 10 or 12.5; left out: no fee.")
@reason_option
@json_option
@on_ledger
async def set_(
    ledger: Ledger, *, slug: str, percentage: str | None, reason: str | None, as_json: bool
) -> None:
    """Publish a version of a meter. Events that are recorded already keep the version they have.

    Example: ledger meters set standard --percentage 10
    """
    body = await set_meter(ledger.database, ledger.clock, ACTOR, slug, percentage, reason)
    if as_json:
        print_json(body)
    else:
        print_table("Meter", COLUMNS, [body])


@command_group.command("list")
@json_option
@on_ledger
async def list_(ledger: Ledger, *, as_json: bool) -> None:
    """List meters with the version in force."""
    rows = await list_meters(ledger.database)
    if as_json:
        print_json({"meters": rows})
    else:
        print_table("Meters", COLUMNS, rows)
