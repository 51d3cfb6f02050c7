"""`/v1/exports`: CSV, streamed; the same bytes as the command line's."""

from collections.abc import AsyncIterator
from typing import Annotated

from litestar import Router, get
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Stream

from ledger.api.dependencies import OpenLedger
from ledger.api.reading import instant_parameter, plain_texts
from ledger.core.errors import NotFound
from ledger.services.exporting import stream_csv

CSV = "text/csv; header=present"  # the framework adds the charset


@get("/{file:str}", media_type=CSV, summary="usage.csv or invoices.csv of a half-open span")
async def get_export(
    ledger: OpenLedger,
    file: FromPath[str],
    from_: Annotated[str | None, QueryParameter(name="from")] = None,
    to: FromQuery[str | None] = None,
    customer_id: FromQuery[str | None] = None,
) -> Stream:
    """Rows come as the database gives them; nothing is gathered in memory."""
    name, dot, ending = file.rpartition(".")
    if dot + ending != ".csv":
        raise NotFound(f"no export {file!r}")
    plain_texts("customer_id", [customer_id or ""])
    chunks = stream_csv(
        ledger.database,
        name,
        instant_parameter("from", from_),
        instant_parameter("to", to),
        customer_id=customer_id,
        currency=ledger.settings.currency,
    )
    first = await anext(chunks)  # what cannot be answered is refused before the answer has begun
    disposition = f'attachment; filename="{name}.csv"'
    return Stream(
        _after(first, chunks), media_type=CSV, headers={"Content-Disposition": disposition}
    )


async def _after(first: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in chunks:
        yield chunk


router = Router("/v1/exports", route_handlers=[get_export], tags=["exports"])
