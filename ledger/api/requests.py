"""`/v1/requests`: records in, one by one or in batches, and records out."""

import json
from typing import Annotated, Any
from urllib.parse import unquote

from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from ledger.api.authentication import SENDER
from ledger.api.dependencies import OpenLedger, intake_of
from ledger.api.explanations import EXPLAIN, explained_request
from ledger.api.reading import (
    JSON,
    NDJSON,
    AnyRequest,
    encoding_of,
    integer_parameter,
    media_type_of,
    optional_instant,
    plain_texts,
    read_body,
    read_object,
    wire_chunks,
)
from ledger.core.adjustments import read_adjustment
from ledger.core.bodies import MAX_ARRAY_BYTES, split_array
from ledger.core.errors import InvalidParameter, InvalidRecord, NotFound, RecordConflict
from ledger.core.records import MAX_METADATA_PAIRS, MAX_RECORD_BYTES
from ledger.core.statements import Statement
from ledger.services.adjustments import adjust_request
from ledger.services.intake.outcomes import Counters, Outcome, Verdict
from ledger.services.requests import (
    MAX_PAGE,
    RequestFilter,
    list_requests,
    show_request,
    statement_body,
)

PATH = "/v1/requests"
DEFAULT_PAGE = 10
_ADJUSTMENTS = "/adjustments"


@post("/", summary="Record one request")
async def create_request(request: AnyRequest, ledger: OpenLedger) -> Response[Any]:
    """201 for a new record, 200 for one that is known or completes a known one, 409 for a conflict."""
    media_type_of(request, JSON)
    body = await read_body(request, MAX_RECORD_BYTES)
    taken = await intake_of(request).take([body], SENDER, tells_completion=True)
    record, outcome = taken.records[0], taken.outcomes[0]
    return Response(await _single_body(ledger, record, outcome), status_code=_status(outcome))


@post("/batch", status_code=200, summary="Record many requests")
async def create_batch(request: AnyRequest) -> Counters:
    """A JSON array, an object with `requests`, or NDJSON; gzip or zstd. Answers the counters."""
    if media_type_of(request, JSON, NDJSON) == NDJSON:
        return await intake_of(request).take_lines(
            wire_chunks(request), encoding_of(request), SENDER
        )
    raws = split_array(await read_body(request, MAX_ARRAY_BYTES))
    taken = await intake_of(request).take(raws, SENDER)
    counters = Counters(problems=[])
    counters.count(taken.records, taken.outcomes)
    return counters


@post("/{request_id:path}", summary="Void or correct a request: /v1/requests/{id}/adjustments")
async def create_adjustment(
    request: AnyRequest,
    ledger: OpenLedger,
    request_id: FromPath[str],  # noqa: ARG001 - documents the parameter
) -> Response[Any]:
    """201 with the request when it is adjusted, 200 when it was so under the same idempotency key."""
    quoted = path_after_requests(request)
    if not quoted.endswith(_ADJUSTMENTS):
        raise NotFound(
            "there is nothing to post to here; adjustments go to /v1/requests/{id}/adjustments"
        )
    name = unquote(quoted.removesuffix(_ADJUSTMENTS))
    plain_texts("request_id", [name])
    adjustment = read_adjustment(await read_object(request))
    if isinstance(adjustment, list):
        raise InvalidRecord(adjustment)
    is_new = await adjust_request(ledger.database, ledger.clock, SENDER, name, adjustment)
    body = await show_request(ledger.database, name, adjustment.customer_id)
    return Response(body, status_code=201 if is_new else 200)


@get("/", summary="List recorded requests, newest id first")
async def get_requests(
    ledger: OpenLedger,
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[str | None] = None,
    customer_id: FromQuery[str | None] = None,
    metadata_filters: FromQuery[str | None] = None,
    from_: Annotated[str | None, QueryParameter(name="from")] = None,
    to: FromQuery[str | None] = None,
    model: FromQuery[str | None] = None,
    status: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """A page in the shape that Lava's client reads."""
    plain_texts("customer_id", [customer_id or ""])
    plain_texts("model", [model or ""])
    wanted = RequestFilter(
        customer_id=customer_id,
        start_at=optional_instant("from", from_),
        end_at=optional_instant("to", to),
        model=model,
        status=status,
        metadata=_metadata_filter(metadata_filters),
    )
    most = integer_parameter("limit", limit, DEFAULT_PAGE, 1, MAX_PAGE)
    return await list_requests(ledger.database, wanted, cursor=cursor, most=most)


@get("/{request_id:path}", summary="Show one request with its revisions")
async def get_request(
    request: AnyRequest,
    ledger: OpenLedger,
    request_id: FromPath[str],  # noqa: ARG001 - documents the parameter
    customer_id: FromQuery[str | None] = None,
) -> dict[str, Any] | Response[Any]:
    """Ids are any text: what stands after `/v1/requests/` is the id, slashes included.

    With `/explain` behind it, how its amounts come about; an id that itself ends so is written with %2F.
    """
    plain_texts("customer_id", [customer_id or ""])
    quoted = path_after_requests(request)
    if quoted.endswith(EXPLAIN):
        name = unquote(quoted.removesuffix(EXPLAIN))
        return await explained_request(request, ledger, name, customer_id)
    return await show_request(ledger.database, id_in_path(request), customer_id)


def id_in_path(request: AnyRequest) -> str:
    """The id as the caller wrote it. The router has folded slashes that belong to it."""
    return unquote(path_after_requests(request))


def path_after_requests(request: AnyRequest) -> str:
    """What stands after `/v1/requests/`, still quoted: a slash in an id can be told from one of the path."""
    _, _, quoted = request.scope["raw_path"].partition(PATH.encode() + b"/")
    return str(quoted.decode("latin-1"))


def _status(outcome: Outcome) -> int:
    is_new = outcome.verdict is Verdict.ACCEPTED and not outcome.completes
    return 201 if is_new else 200


async def _single_body(ledger: OpenLedger, record: Any, outcome: Outcome) -> dict[str, Any]:
    if outcome.verdict is Verdict.CONFLICT:
        raise RecordConflict(outcome.errors[0])
    if outcome.verdict is Verdict.REJECTED:
        raise InvalidRecord(outcome.errors)
    if outcome.rated is not None:
        return statement_body(outcome.rated)
    assert isinstance(record, Statement)  # noqa: S101 - what was read as a duplicate was read
    return await show_request(ledger.database, record.request_id, record.customer_id)


def _metadata_filter(text: str | None) -> dict[str, str] | None:
    """Lava's form: a JSON array of pairs, all of which must match."""
    if not text:
        return None
    try:
        pairs = dict(json.loads(text))
    except (ValueError, TypeError, RecursionError):
        pairs = {0: 0}
    texts = [*pairs.keys(), *pairs.values()]
    if not all(isinstance(each, str) for each in texts) or len(pairs) > MAX_METADATA_PAIRS:
        raise InvalidParameter("metadata_filters", 'must be pairs such as [["feature","chat"]]')
    plain_texts("metadata_filters", texts)
    return pairs or None


router = Router(
    PATH,
    route_handlers=[create_request, create_batch, create_adjustment, get_requests, get_request],
    tags=["requests"],
)
