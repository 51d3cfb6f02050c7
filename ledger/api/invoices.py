"""`/v1/invoices`: invoices, as JSON and as text."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, Router, get, post
from litestar.enums import MediaType

from ledger.api.authentication import FINANCE, READ_BOOKS
from ledger.api.dependencies import TheCaller
from ledger.api.openapi.answers.invoices import InvoiceAnswer, InvoicePage, RunAnswer
from ledger.api.openapi.bodies import form
from ledger.api.openapi.operations import JSON_OR_TEXT, says
from ledger.api.openapi.parameters import (
    Cursor,
    Customers,
    InvoiceNumber,
    Query,
    Text,
    page_size,
)
from ledger.api.reading import AnyRequest, integer_parameter, plain_texts, read_form
from ledger.core.errors import InvalidParameter
from ledger.core.instants import parse_month
from ledger.core.shapes import Month, PlainText
from ledger.services.invoice_text import render_invoice
from ledger.services.invoices import list_invoices, run_invoices, show_invoice

DEFAULT_PAGE = 100
MOST_LISTED = 1000
Limit = Annotated[Text, page_size(DEFAULT_PAGE, MOST_LISTED)]
Format = Annotated[
    Text, Query(name="format", description="`json` if left out.", shape=Literal["json", "text"])
]


class RunForm(msgspec.Struct, forbid_unknown_fields=True):
    """Which month to invoice, for whom, and whether only to show what would come of it."""

    period: Month
    customer_id: PlainText | None = None
    dry_run: bool = False


@get(
    "/",
    opt=READ_BOOKS | says(InvoicePage),
    operation_id="list_invoices",
    summary="List invoices in the order of their numbers",
)
async def get_invoices(
    caller: TheCaller,
    customer_id: Customers = None,
    cursor: Cursor = None,
    limit: Limit = None,
) -> dict[str, Any]:
    """`cursor` is the last number of the page before."""
    most = integer_parameter("limit", limit, DEFAULT_PAGE, 1, MOST_LISTED)
    plain_texts("cursor", [cursor or ""])
    rows = await list_invoices(
        caller.database,
        customers=caller.customers(customer_id),
        after=cursor or "",
        most=most + 1,
    )
    has_more = len(rows) > most
    return {
        "data": rows[:most],
        "has_more": has_more,
        "next_cursor": rows[most - 1]["number"] if has_more else None,
    }


@get(
    "/{number:str}",
    opt=READ_BOOKS | says(InvoiceAnswer, media_types=JSON_OR_TEXT),
    operation_id="show_invoice",
    summary="Show an invoice",
)
async def get_invoice(
    caller: TheCaller,
    number: InvoiceNumber,
    format_: Format = None,
) -> dict[str, Any] | Response[str]:
    """As JSON; as plain text with `?format=text`."""
    plain_texts("number", [number])
    invoice = await show_invoice(caller.database, number, customers=caller.customers(None))
    if format_ not in (None, "json", "text"):
        raise InvalidParameter("format", "must be json or text")
    if format_ == "text":
        return Response(render_invoice(invoice), media_type=MediaType.TEXT)
    return invoice


@post(
    "/runs",
    status_code=200,
    opt=FINANCE | says(RunAnswer, 404, 422, body=form(RunForm)),
    operation_id="run_invoices",
    summary="Invoice a month",
)
async def post_run(request: AnyRequest, caller: TheCaller) -> dict[str, Any]:
    """Every month with usage up to the period; what is billed already is left as it is."""
    form = await read_form(request, RunForm)
    try:
        period = parse_month(form.period)
    except ValueError as error:
        raise InvalidParameter("period", str(error)) from None
    return await run_invoices(
        caller.ledger.database,
        caller.ledger.clock,
        caller.actor,
        period,
        currency=caller.ledger.settings.currency,
        customer_id=caller.one_customer(form.customer_id),
        dry_run=form.dry_run,
    )


router = Router(
    "/v1/invoices", route_handlers=[get_invoices, post_run, get_invoice], tags=["invoices"]
)
