"""`ledger invoices`."""

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import (
    ACTOR,
    Month,
    json_option,
    limit_option,
    on_ledger,
    print_json,
    print_table,
    say,
)
from ledger.core.instants import Period
from ledger.services.invoice_text import render_invoice
from ledger.services.invoices import list_invoices, run_invoices, show_invoice

COLUMNS = {
    "number": "number",
    "customer_id": "customer",
    "period_start": "from",
    "period_end": "to",
    "currency": "currency",
    "total": "total",
}


@click.group("invoices")
def command_group() -> None:
    """Issue, list and show invoices.

    Example: ledger invoices list --customer acme
    """


@command_group.command("run")
@click.option("--period", type=Month(), required=True, help="Month to invoice, such as 2026-10.")
@click.option("--customer", "customer_id", help="Only this customer.")
@click.option("--dry-run", is_flag=True, help="Show what would be issued and write nothing.")
@json_option
@on_ledger
async def run(
    ledger: Ledger, *, period: Period, customer_id: str | None, dry_run: bool, as_json: bool
) -> None:
    """Invoice every month with usage up to the period.

    What is billed already is left as it is; what came later is billed now, with its own service period.

    Example, what would be issued: ledger invoices run --period 2026-10 --dry-run

    Example: ledger invoices run --period 2026-10
    """
    result = await run_invoices(
        ledger.database,
        ledger.clock,
        ACTOR,
        period,
        currency=ledger.settings.currency,
        customer_id=customer_id,
        dry_run=dry_run,
    )
    if as_json:
        print_json(result)
        return
    print_table(
        "Would be issued" if dry_run else "Issued", COLUMNS, result["invoices"], whole=("number",)
    )
    say(
        f"{result['issued']} issued, {result['skipped']} skipped, total {result['total']}"
        f" {ledger.settings.currency}"
    )
    if unrated := result["unrated_requests"]:
        say(f"{unrated} requests have no rate yet and are not in it; see `ledger unrated`")


@command_group.command("list")
@click.option("--customer", "customers", multiple=True, help="Only this customer; repeatable.")
@limit_option(1000)
@json_option
@on_ledger
async def list_(ledger: Ledger, *, customers: tuple[str, ...], most: int, as_json: bool) -> None:
    """List invoices in the order of their numbers.

    Example: ledger invoices list --customer acme
    """
    rows = await list_invoices(ledger.database, customers=customers or None, most=most)
    if as_json:
        print_json({"invoices": rows})
    else:
        print_table("Invoices", COLUMNS, rows, whole=("number",))


@command_group.command("show")
@click.argument("number")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    help="json is what --json prints.",
)
@json_option
@on_ledger
async def show(ledger: Ledger, *, number: str, format_: str, as_json: bool) -> None:
    """Show an invoice.

    Example: ledger invoices show INV-000001
    """
    invoice = await show_invoice(ledger.database, number)
    if as_json or format_ == "json":
        print_json(invoice)
    else:
        say(render_invoice(invoice))
