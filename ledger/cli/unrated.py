"""`ledger unrated`."""

from typing import Any

import click

from ledger.bootstrap import Ledger
from ledger.cli.problems import problem_document
from ledger.cli.progress import progress_bar, shown_on
from ledger.cli.rerate import print_differences
from ledger.cli.running import (
    ACTOR,
    DONE,
    WITH_PROBLEMS,
    json_option,
    limit_option,
    on_ledger,
    print_json,
    print_table,
    reason_option,
    remark,
    say,
)
from ledger.core.errors import TooBusy
from ledger.services.rerating.unrated_job import rate_unrated
from ledger.services.unrated import MOST_GROUPS, list_unrated

COLUMNS = {
    "customer_id": "customer",
    "provider": "provider",
    "model": "model",
    "called_as": "called as",
    "requests": "requests",
    "first_hour": "from",
    "last_hour": "to",
    "reason": "why",
}


class ListsByDefault(click.Group):
    """Without a subcommand it lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words of the command line."""
        is_named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if is_named else ["list", *args])


@click.group("unrated", cls=ListsByDefault)
def command_group() -> None:
    """List requests that no rate is known for, and rate them.

    Example: ledger unrated --customer acme
    """


@command_group.command("list")
@click.option("--customer", "customers", multiple=True, help="Only this customer; repeatable.")
@limit_option(MOST_GROUPS)
@json_option
@on_ledger
async def list_(ledger: Ledger, *, customers: tuple[str, ...], most: int, as_json: bool) -> None:
    """List what has no price, by customer and way of calling a model. It counts 0.

    Example: ledger unrated list --customer acme
    """
    body = await list_unrated(ledger.database, customers or None, most)
    if as_json:
        print_json({"unrated": body["data"], "has_more": body["has_more"]})
        return
    rows = [_in_columns(row) for row in body["data"]]
    print_table("Unrated", COLUMNS, rows, spare=("provider", "called_as"))
    if body["has_more"]:
        remark(f"there are more; --limit {most} cut the list")


@command_group.command("rate")
@reason_option
@json_option
@on_ledger
async def rate(ledger: Ledger, *, reason: str | None, as_json: bool) -> int:
    """Rate what the tables known now have a price for. `ledger serve` does so every minute.

    Example: ledger unrated rate
    """
    with progress_bar("rating") as bar:
        run = await rate_unrated(
            ledger.database, ledger.clock, ACTOR, reason=reason, progress=shown_on(bar)
        )
    if run is None:
        busy = TooBusy("another process is rating them at the moment")
        remark(f"ledger: {busy.detail}")
        if as_json:
            print_json(problem_document(busy, WITH_PROBLEMS))
        return WITH_PROBLEMS
    if as_json:
        print_json(run.body)
    elif run.rated:
        print_differences(run.body, is_applied=True)
    else:
        say("Nothing to rate: no table in force has a price for what is unrated.")
    return DONE


def _in_columns(row: dict[str, Any]) -> dict[str, Any]:
    """A row as its table has it; days tell from when to when."""
    hours = {name: row[name][:10] for name in ("first_hour", "last_hour")}
    return {**row, **hours, "called_as": _called(row)}


def _called(row: dict[str, Any]) -> str:
    """How the model was called, where that is not the usual way."""
    words = [row["service_tier"], "batch" if row["batch"] else None]
    words += [row["region"], row["accelerator"], "own key" if row["key_type"] == "byok" else None]
    return ", ".join(word for word in words if word) or "-"
