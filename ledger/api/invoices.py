"""`/v1/invoices`: invoices, as JSON and as text."""

from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from litestar.enums import MediaType
from litestar.params import FromPath, FromQuery, QueryParameter

from ledger.api.authentication import SENDER
from ledger.api.dependencies import OpenLedger
from ledger.api.reading import AnyRequest, integer_parameter, plain_texts, read_form
from ledger.core.errors import InvalidParameter
from ledger.core.instants import parse_month
from ledger.services.invoice_text import render_invoice
from ledger.services.invoices import list_invoices, run_invoices, show_invoice

MOST_LISTED = 1000


class RunForm(msgspec.Struct, forbid_unknown_fields=True):
    """Which month to invoice, for whom, and whether only to show what would come of it."""

    period: str
    customer_id: str | None = None
    dry_run: bool = False


@get("/", summary="List invoices in the order of their numbers")
async def get_invoices(
    ledger: OpenLedger,
    customer_id: FromQuery[list[str] | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """`cursor` is the last number of the page before."""
    most = integer_parameter("limit", limit, 100, 1, MOST_LISTED)
    plain_texts("cursor", [cursor or ""])
    rows = await list_invoices(
        ledger.database,
        customers=plain_texts("customer_id", customer_id) or None,
        after=cursor or "",
        most=most + 1,
    )
    has_more = len(rows) > most
    return {
        "data": rows[:most],
        "has_more": has_more,
        "next_cursor": rows[most - 1]["number"] if has_more else None,
    }


@get("/{number:str}", summary="Show an invoice")
async def get_invoice(
    ledger: OpenLedger,
    number: FromPath[str],
    format_: Annotated[str | None, QueryParameter(name="format")] = None,
) -> dict[str, Any] | Response[str]:
    """As JSON; as plain text with `?format=text`."""
    plain_texts("number", [number])
    invoice = await show_invoice(ledger.database, number)
    if format_ not in (None, "json", "text"):
        raise InvalidParameter("format", "must be json or text")
    if format_ == "text":
        return Response(render_invoice(invoice), media_type=MediaType.TEXT)
    return invoice


@post("/runs", status_code=200, summary="Invoice a month")
async def post_run(request: AnyRequest, ledger: OpenLedger) -> dict[str, Any]:
    """Every month with usage up to the period; what is billed already is left as it is."""
    form = await read_form(request, RunForm)
    try:
        period = parse_month(form.period)
    except ValueError as error:
        raise InvalidParameter("period", str(error)) from None
    return await run_invoices(
        ledger.database,
        ledger.clock,
        SENDER,
        period,
        currency=ledger.settings.currency,
        customer_id=form.customer_id,
        dry_run=form.dry_run,
    )


router = Router(
    "/v1/invoices", route_handlers=[get_invoices, post_run, get_invoice], tags=["invoices"]
)
