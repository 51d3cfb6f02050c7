"""Explanations of amounts, as JSON and, for `Accept: text/plain`, as a page.

`/v1/requests/{id}/explain` stands with the requests, since an id is any text.
"""

from collections.abc import Callable
from typing import Annotated, Any

from litestar import Response, Router, get
from litestar.enums import MediaType

from ledger.api.authentication import READ_BOOKS
from ledger.api.dependencies import Caller, TheCaller
from ledger.api.openapi.answers.explanations import (
    InvoiceExplanation,
    LineExplanation,
)
from ledger.api.openapi.operations import JSON_OR_TEXT, says
from ledger.api.openapi.parameters import InvoiceNumber, LineNumber, Text, page_size
from ledger.api.reading import AnyRequest, integer_parameter, plain_texts
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

EXPLAIN = "/explain"
MOST_LISTED = 1000
MOST_LINES = 10**9 - 1

Limit = Annotated[Text, page_size(MOST_RECORDS, MOST_LISTED, least=0)]

_KINDS = [MediaType.JSON.value, MediaType.TEXT.value]


async def explained_request(
    request: AnyRequest, caller: Caller, request_id: str, customer_id: str | None
) -> Response[Any]:
    """The answer to `GET /v1/requests/{id}/explain`."""
    plain_texts("request_id", [request_id])
    explanation = await explain_request(caller.database, request_id, customer_id)
    return _answer(request, explanation, render_request)


@get(
    "/{number:str}/explain",
    opt=READ_BOOKS | says(InvoiceExplanation, media_types=JSON_OR_TEXT),
    operation_id="explain_invoice",
    summary="How the total of an invoice was rounded and shared",
)
async def get_invoice_explanation(
    request: AnyRequest, caller: TheCaller, number: InvoiceNumber
) -> Response[Any]:
    """Each line with its exact amount, what is left when it is rounded down, and its share."""
    plain_texts("number", [number])
    explanation = await explain_invoice(caller.database, number, customers=caller.customers(None))
    return _answer(request, explanation, render_invoice_explanation)


@get(
    "/{number:str}/lines/{line:str}/explain",
    opt=READ_BOOKS | says(LineExplanation, media_types=JSON_OR_TEXT),
    operation_id="explain_invoice_line",
    summary="Which records an invoice line billed",
)
async def get_line_explanation(
    request: AnyRequest,
    caller: TheCaller,
    number: InvoiceNumber,
    line: LineNumber,
    limit: Limit = None,
) -> Response[Any]:
    """Its days, which sum up to it, and its first records by time, up to `limit` of them."""
    plain_texts("number", [number])
    explanation = await explain_invoice_line(
        caller.database,
        number,
        integer_parameter("line", line, 1, 1, MOST_LINES),
        customers=caller.customers(None),
        most_records=integer_parameter("limit", limit, MOST_RECORDS, 0, MOST_LISTED),
    )
    return _answer(request, explanation, render_line_explanation)


def _answer(
    request: AnyRequest, explanation: dict[str, Any], render: Callable[[dict[str, Any]], str]
) -> Response[Any]:
    """The explanation in the form that the caller would rather have; JSON if it does not say."""
    headers = {"Vary": "Accept"}
    if request.accept.best_match(_KINDS, default=_KINDS[0]) == MediaType.TEXT:
        return Response(render(explanation), media_type=MediaType.TEXT, headers=headers)
    return Response(explanation, media_type=MediaType.JSON, headers=headers)


router = Router(
    "/v1/invoices",
    route_handlers=[get_invoice_explanation, get_line_explanation],
    tags=["invoices"],
)
