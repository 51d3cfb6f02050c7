"""`/v1/exports`: CSV, streamed; the same bytes as the command line's."""

from collections.abc import AsyncIterator

from litestar import Router, get
from litestar.response import Stream

from ledger.api.authentication import READ_BOOKS
from ledger.api.content_codings import IDENTITY, choose_coding
from ledger.api.dependencies import TheCaller
from ledger.api.openapi.operations import says
from ledger.api.openapi.parameters import Customer, ExportedFile, From, To
from ledger.api.reading import AnyRequest, instant_parameter
from ledger.core.errors import NotFound
from ledger.exports.compression import compressed
from ledger.services.exporting import stream_csv

CODINGS = ("zstd", "gzip")  # the faster and smaller one first
VARY = "Accept-Encoding"
CSV = "text/csv; header=present"  # the framework adds the charset


@get(
    "/{file:str}",
    opt=READ_BOOKS | says(None, media_types=("text/csv",)),
    operation_id="export_file",
    media_type=CSV,
    summary="usage.csv or invoices.csv of a half-open span",
)
async def get_export(
    request: AnyRequest,
    caller: TheCaller,
    file: ExportedFile,
    from_: From = None,
    to: To = None,
    customer_id: Customer = None,
) -> Stream:
    """Rows come as the database gives them, compressed for a reader that takes it; nothing is gathered."""
    name, dot, ending = file.rpartition(".")
    if dot + ending != ".csv":
        raise NotFound(f"no export {file!r}")
    chunks = stream_csv(
        caller.database,
        name,
        instant_parameter("from", from_),
        instant_parameter("to", to),
        caller=caller.actor,
        customer_id=caller.one_customer(customer_id),
        currency=caller.ledger.settings.currency,
    )
    first = await anext(chunks)  # what cannot be answered is refused before the answer has begun
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Vary": VARY}
    body = _after(first, chunks)
    coding = choose_coding(",".join(request.headers.getall(VARY, [])), CODINGS)
    if coding != IDENTITY:
        headers["Content-Encoding"] = coding
        body = compressed(body, coding)
    return Stream(body, media_type=CSV, headers=headers)


async def _after(first: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in chunks:
        yield chunk


router = Router("/v1/exports", route_handlers=[get_export], tags=["exports"])
