"""`ledger explain`."""

from contextlib import suppress
from typing import Any

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import (
    DONE,
    WITH_PROBLEMS,
    json_option,
    on_ledger,
    print_json,
    say,
)
from ledger.core.errors import NotFound
from ledger.core.invoicing import SERIES
from ledger.services.explaining.invoice_pages import (
    render_invoice_explanation,
    render_line_explanation,
)
from ledger.services.explaining.invoices import (
    MOST_RECORDS,
    explain_invoice,
    explain_invoice_line,
)
from ledger.services.explaining.request_pages import render_request
from ledger.services.explaining.requests import explain_request


@click.command("explain")
@click.argument("name", metavar="ID")
@click.option("--customer", "customer_id", help="Whose request it is; ID is no invoice then.")
@click.option("--line", type=click.IntRange(1), help="What this line of the invoice billed.")
@click.option(
    "--records",
    "most_records",
    type=click.IntRange(0, 1_000_000),
    default=MOST_RECORDS,
    help="How many records of the line to list at most.",
)
@json_option
@on_ledger
async def command_group(
    ledger: Ledger,
    *,
    name: str,
    customer_id: str | None,
    line: int | None,
    most_records: int,
    as_json: bool,
) -> int:
    """Show the arithmetic behind a request, an invoice or a line.

    Every amount is worked out anew from its prices and compared with what is recorded; exit code 1 says
    that some amount is not the same.

    Example: ledger explain req_01K7QJT2YSVV0YR2NPK4Z2GRXQ

    Example: ledger explain INV-000001 --line 1
    """
    if customer_id is not None and line is not None:
        raise click.UsageError("--customer is of a request, --line of an invoice")
    explanation, page = await _explain(ledger, name, customer_id, line, most_records)
    if as_json:
        print_json(explanation)
    else:
        say(page.rstrip("\n"))
    return WITH_PROBLEMS if explanation["agrees"] is False else DONE


async def _explain(
    ledger: Ledger, name: str, customer_id: str | None, line: int | None, most_records: int
) -> tuple[dict[str, Any], str]:
    """The explanation and its page. INV-000001 is an invoice if there is one of that number."""
    database = ledger.database
    if line is not None:
        explained = await explain_invoice_line(database, name, line, most_records=most_records)
        return explained, render_line_explanation(explained)
    if customer_id is None and name.startswith(f"{SERIES}-"):
        return await _explain_either(ledger, name)
    explained = await explain_request(database, name, customer_id)
    return explained, render_request(explained)


async def _explain_either(ledger: Ledger, name: str) -> tuple[dict[str, Any], str]:
    """The invoice of that number, or the request of that id."""
    with suppress(NotFound):
        explained = await explain_invoice(ledger.database, name)
        return explained, render_invoice_explanation(explained)
    try:
        explained = await explain_request(ledger.database, name)
    except NotFound as error:
        raise NotFound(f"no invoice and no request {name!r}") from error
    return explained, render_request(explained)
