"""Explanations of amounts, as JSON and, for `Accept: text/plain`, as a page.

`/v1/requests/{id}/explain` is answered by the handler of `/v1/requests`, since an id is any text; the rest
are routes of their own.
"""

from collections.abc import Callable
from typing import Any

from litestar import Response, Router, get
from litestar.enums import MediaType
from litestar.params import FromPath, FromQuery

from ledger.api.dependencies import OpenLedger
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

_KINDS = [MediaType.JSON.value, MediaType.TEXT.value]


async def explained_request(
    request: AnyRequest, ledger: OpenLedger, request_id: str, customer_id: str | None
) -> Response[Any]:
    """The answer to `GET /v1/requests/{id}/explain`."""
    plain_texts("request_id", [request_id])
    explanation = await explain_request(ledger.database, request_id, customer_id)
    return _answer(request, explanation, render_request)


@get("/{number:str}/explain", summary="How the total of an invoice was rounded and shared")
async def get_invoice_explanation(
    request: AnyRequest, ledger: OpenLedger, number: FromPath[str]
) -> Response[Any]:
    """Each line with its exact amount, what is left when it is rounded down, and its share."""
    plain_texts("number", [number])
    explanation = await explain_invoice(ledger.database, number)
    return _answer(request, explanation, render_invoice_explanation)


@get("/{number:str}/lines/{line:str}/explain", summary="Which records an invoice line billed")
async def get_line_explanation(
    request: AnyRequest,
    ledger: OpenLedger,
    number: FromPath[str],
    line: FromPath[str],
    limit: FromQuery[str | None] = None,
) -> Response[Any]:
    """Its days, which sum up to it, and its first records by time, up to `limit` of them."""
    plain_texts("number", [number])
    explanation = await explain_invoice_line(
        ledger.database,
        number,
        integer_parameter("line", line, 1, 1, MOST_LINES),
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
