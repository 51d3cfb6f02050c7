"""`ledger spend`."""

from collections.abc import Sequence
from datetime import datetime

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import (
    Instant,
    PointInLog,
    json_option,
    on_ledger,
    print_json,
    print_table,
    remark,
    say,
)
from ledger.cli.tables import cut
from ledger.core.cuts import AsOf
from ledger.core.spend import GROUPINGS, spend_query
from ledger.services.customers import list_customers
from ledger.services.spend import answer_spend, spend_body


@click.command("spend")
@click.option("--from", "start_at", type=Instant(), required=True, help="First instant or date.")
@click.option("--to", "end_at", type=Instant(), required=True, help="End, exclusive.")
@click.option(
    "--by",
    default="",
    show_default=False,
    help=f"Groupings, separated by commas: {', '.join(GROUPINGS)}.",
)
@click.option("--customer", "customers", multiple=True, help="Only this customer; repeatable.")
@click.option("--provider", "providers", multiple=True, help="Only this provider; repeatable.")
@click.option("--model", "models", multiple=True, help="Only this model; repeatable.")
@click.option("--key-type", "key_types", multiple=True, help="Only managed or byok.")
@click.option(
    "--as-of",
    type=PointInLog(),
    help="What was recorded by then, and nothing since: a time, a date, or the as_of of an answer.",
)
@json_option
@on_ledger
async def command_group(
    ledger: Ledger,
    *,
    start_at: datetime,
    end_at: datetime,
    by: str,
    customers: tuple[str, ...],
    providers: tuple[str, ...],
    models: tuple[str, ...],
    key_types: tuple[str, ...],
    as_of: AsOf | None,
    as_json: bool,
) -> None:
    """Show what was spent.

    The fees of tiered meters are those of whole months. They are rows of their own, in every span that
    the first instant of their month lies in.

    Example: ledger spend --from 2026-10-01 --to 2026-11-01 --by customer,model

    Example, whatever has been recorded since:
    ledger spend --from 2026-10-01 --to 2026-11-01 --as-of 2026-11-01T06:00:00Z
    """
    question = spend_query(
        start_at,
        end_at,
        [name.strip() for name in by.split(",") if name.strip()],
        customers=customers,
        providers=providers,
        models=models,
        key_types=key_types,
    )
    answer = await answer_spend(ledger.database, ledger.clock, question, as_of)
    body = spend_body(answer, ledger.settings.currency)
    await _tell_unknown(ledger, customers)
    if as_json:
        print_json(body)
        return
    print_spend(body)


async def _tell_unknown(ledger: Ledger, customers: Sequence[str]) -> None:
    """A customer that nobody knows has spent nothing; that it may be a slip is said beside it."""
    for customer_id in customers:
        if not await list_customers(ledger.database, only=customer_id, most=1):
            remark(f"ledger: no customer {customer_id!r}")


def print_spend(body: dict[str, object]) -> None:
    """A spend answer as a table, what to know about it, and the point in the log that it is of."""
    print_spend_table(body)
    say(f"as of {body['as_of']}")


def print_spend_table(body: dict[str, object]) -> None:
    """A spend answer as a table, and what to know about it."""
    groups: list[str] = body["group_by"]  # type: ignore[assignment]
    rows: list[dict[str, object]] = body["rows"]  # type: ignore[assignment]
    totals: dict[str, object] = body["totals"]  # type: ignore[assignment]
    columns = {name: name for name in groups}
    has_tiered_fees = any("meter" in row for row in rows)
    columns |= {"meter": "tiered fee of"} if has_tiered_fees else {}
    columns |= {"requests": "requests", "input_tokens": "input", "output_tokens": "output"}
    columns |= {"cost": "cost", "spend": "spend"}
    total_row = {**dict.fromkeys([*groups, "meter"][:1], "total"), **totals}
    shown_rows = [*rows, total_row] if groups or has_tiered_fees else [totals]
    shown = [_for_reading(row) for row in shown_rows]
    title = f"In {body['currency']}, cut to 4 places; --json has all, fees too"
    print_table(title, columns, shown, spare=("input_tokens", "output_tokens"))
    if body["unrated_requests"]:
        say(f"{body['unrated_requests']} requests have no rate yet and count 0.")
    if "model" in groups:
        say("Models are shown by their last part; --model takes the whole id.")
    if has_tiered_fees:
        say("A tiered fee is that of a whole month and counts where the month begins.")


def _for_reading(row: dict[str, object]) -> dict[str, object]:
    """Amounts cut to 4 places, model paths to their last part."""
    short = dict(row)
    for name in ("cost", "spend"):
        short[name] = cut(str(short[name]))
    if isinstance(model := short.get("model"), str):
        short["model"] = model.rpartition("/")[2]
    return short
