"""`ledger rerate`."""

from datetime import datetime
from typing import Any

import click

from ledger.bootstrap import Ledger
from ledger.cli.progress import progress_bar, shown_on
from ledger.cli.running import (
    ACTOR,
    Instant,
    json_option,
    on_ledger,
    print_json,
    print_table,
    reason_option,
    say,
)
from ledger.cli.tables import cut
from ledger.services.rerating.ranges import RerateRequest, rerate

COLUMNS = {
    "customer_id": "customer",
    "model": "model",
    "requests": "requests",
    "changed": "change",
    "losing": "lose",
    "before": "spend before",
    "after": "after",
    "difference": "difference",
}


@click.command("rerate")
@click.option("--from", "start_at", type=Instant(), required=True, help="First instant or date.")
@click.option("--to", "end_at", type=Instant(), required=True, help="End, exclusive.")
@click.option("--customer", "customers", multiple=True, help="Only this customer; repeatable.")
@click.option("--model", "models", multiple=True, help="Only this recorded model; repeatable.")
@click.option("--apply", "is_applied", is_flag=True, help="Record it; else it is only shown.")
@reason_option
@json_option
@on_ledger
async def command_group(
    ledger: Ledger,
    *,
    start_at: datetime,
    end_at: datetime,
    customers: tuple[str, ...],
    models: tuple[str, ...],
    is_applied: bool,
    reason: str | None,
    as_json: bool,
) -> None:
    """Show what the rates known now would change, or apply them.

    Without --apply nothing is recorded. With it nothing is edited: the negation of what stands is appended,
    and the new statement. Nothing outside the range, the customers and the models is touched. It is safe to
    repeat, also after an interruption.

    Example: ledger rerate --from 2026-10-01 --to 2026-11-01 --customer acme --apply --reason "new price list"
    """
    with progress_bar("rating again") as bar:
        body = await rerate(
            ledger.database,
            ledger.clock,
            ACTOR,
            RerateRequest(start_at, end_at, customers, models),
            is_applied=is_applied,
            reason=reason,
            progress=shown_on(bar),
        )
    if as_json:
        print_json(body)
    else:
        print_differences(body, is_applied=is_applied)


def print_differences(body: dict[str, Any], *, is_applied: bool) -> None:
    """Differences as a table, and what came of them in words."""
    totals = body["totals"]
    if body["rows"]:
        title = "Spend, cut to 6 places; --json has all, cost and fee too"
        rows = [*body["rows"], {"customer_id": "total", "model": "", **totals}]
        print_table(title, COLUMNS, [_for_reading(row) for row in rows], spare=("losing",))
    say(
        f"{totals['requests']:,} requests looked at, {totals['changed']:,} "
        f"{'rated again' if is_applied else 'would be rated again'}."
    )
    if totals["losing"]:
        say(
            f"{totals['losing']:,} keep a price that the table in force now does not have for them."
        )
    if totals["does_not_fit"]:
        say(f"{totals['does_not_fit']:,} stay as they are: the new price cannot be stored.")
    if totals["after"]["unrated_requests"]:
        say(f"{totals['after']['unrated_requests']:,} have no price still; see `ledger unrated`.")
    if totals["changed"] and not is_applied:
        say("Nothing is recorded; --apply does it.")


def _for_reading(row: dict[str, Any]) -> dict[str, Any]:
    """Spend alone, cut; model paths to their last part."""
    spends = {name: cut(row[name]["spend"], 6) for name in ("before", "after", "difference")}
    return {**row, **spends, "model": row["model"] and row["model"].rpartition("/")[2]}
