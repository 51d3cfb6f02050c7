"""`/v1/requests`: records in, one by one or in batches, and records out."""

import json
from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post

from ledger.api.answers import JsonAnswer
from ledger.api.authentication import FINANCE, INGEST, READ
from ledger.api.dependencies import CUSTOMER, Caller, TheCaller, caller_of, intake_of
from ledger.api.explanations import EXPLAIN, explained_request
from ledger.api.openapi.answers.explanations import RequestExplanation
from ledger.api.openapi.answers.requests import (
    BatchAnswer,
    Recorded,
    RequestDetail,
    RequestPage,
)
from ledger.api.openapi.bodies import ADJUSTMENT, BATCH, RECORD
from ledger.api.openapi.operations import JSON_OR_TEXT, says
from ledger.api.openapi.parameters import (
    Cursor,
    Customer,
    MaybeFrom,
    MaybeTo,
    MetadataFilters,
    Model,
    RequestId,
    RequestStatus,
    Text,
    page_size,
)
from ledger.api.reading import (
    JSON,
    NDJSON,
    AnyRequest,
    encoding_of,
    integer_parameter,
    media_type_of,
    name_in_path,
    optional_instant,
    plain_texts,
    read_body,
    read_object,
    wire_chunks,
)
from ledger.core.adjustments import read_adjustment
from ledger.core.bodies import MAX_ARRAY_BYTES, split_array
from ledger.core.errors import (
    CustomerForbidden,
    InvalidParameter,
    InvalidRecord,
    RecordConflict,
)
from ledger.core.keys import Scope
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
Limit = Annotated[Text, page_size(DEFAULT_PAGE, MAX_PAGE)]


@post(
    "/",
    opt=INGEST
    | says(
        Recorded,
        409,
        statuses={200: "It is known, or completes one that is.", 201: "It is new."},
        body=RECORD,
    ),
    operation_id="record_request",
    summary="Record one request",
)
async def create_request(request: AnyRequest) -> JsonAnswer:
    """201 for a new record, 200 for one that is known or completes a known one, 409 for a conflict."""
    media_type_of(request, JSON)
    body, caller = await read_body(request, MAX_RECORD_BYTES), caller_of(request)
    taken = await intake_of(request).take([body], caller.sender, tells_completion=True)
    record, outcome = taken.records[0], taken.outcomes[0]
    return JsonAnswer(await _single_body(caller, record, outcome), _status(outcome))


@post(
    "/batch",
    status_code=200,
    opt=INGEST | says(BatchAnswer, body=BATCH),
    operation_id="record_batch",
    summary="Record many requests",
)
async def create_batch(request: AnyRequest, caller: TheCaller) -> Counters:
    """A JSON array, an object with `requests`, or NDJSON; gzip or zstd. Answers the counters."""
    if media_type_of(request, JSON, NDJSON) == NDJSON:
        return await intake_of(request).take_lines(
            wire_chunks(request), encoding_of(request), caller.sender
        )
    raws = split_array(await read_body(request, MAX_ARRAY_BYTES))
    taken = await intake_of(request).take(raws, caller.sender)
    counters = Counters(problems=[])
    counters.count(taken.records, taken.outcomes)
    return counters


@post(
    "/{request_id:str}/adjustments",
    opt=FINANCE
    | says(
        RequestDetail,
        409,
        422,
        statuses={200: "It was adjusted so before.", 201: "It is adjusted."},
        body=ADJUSTMENT,
    ),
    operation_id="adjust_request",
    summary="Void or correct a request",
)
async def create_adjustment(
    request: AnyRequest,
    caller: TheCaller,
    request_id: RequestId,  # noqa: ARG001 - documents the parameter
) -> Response[Any]:
    """201 with the request when it is adjusted, 200 when it was so under the same idempotency key.

    New quantities are absolute; what is left out stays as it is. It counts at the time of the request.
    """
    name = name_in_path(request, "request_id", PATH, _ADJUSTMENTS)
    plain_texts("request_id", [name])
    adjustment = read_adjustment(await read_object(request))
    if isinstance(adjustment, list):
        raise InvalidRecord(adjustment)
    customer_id = caller.one_customer(adjustment.customer_id)
    adjustment = msgspec.structs.replace(adjustment, customer_id=customer_id)
    ledger = caller.ledger
    is_new = await adjust_request(ledger.database, ledger.clock, caller.actor, name, adjustment)
    body = await show_request(caller.database, name, customer_id)
    return Response(body, status_code=201 if is_new else 200)


@get(
    "/",
    opt=READ | says(RequestPage),
    operation_id="list_requests",
    summary="List recorded requests, newest id first",
)
async def get_requests(
    caller: TheCaller,
    cursor: Cursor = None,
    limit: Limit = None,
    customer_id: Customer = None,
    metadata_filters: MetadataFilters = None,
    from_: MaybeFrom = None,
    to: MaybeTo = None,
    model: Model = None,
    status: RequestStatus = None,
) -> dict[str, Any]:
    """A page in the shape that Lava's client reads."""
    plain_texts("model", [model or ""])
    wanted = RequestFilter(
        customer_id=caller.one_customer(customer_id),
        start_at=optional_instant("from", from_),
        end_at=optional_instant("to", to),
        model=model,
        status=status,
        metadata=_metadata_filter(metadata_filters),
    )
    most = integer_parameter("limit", limit, DEFAULT_PAGE, 1, MAX_PAGE)
    return await list_requests(caller.database, wanted, cursor=cursor, most=most)


@get(
    "/{request_id:str}",
    opt=READ | says(RequestDetail, 409),
    operation_id="show_request",
    summary="Show one request with its revisions",
)
async def get_request(
    request: AnyRequest,
    caller: TheCaller,
    request_id: RequestId,  # noqa: ARG001 - documents the parameter
    customer_id: Customer = None,
) -> dict[str, Any]:
    """Ids are any text: what stands after `/v1/requests/` is the id, slashes included.

    One that itself ends in `/explain` or `/adjustments` is written with %2F.
    """
    name = name_in_path(request, "request_id", PATH)
    return await show_request(caller.database, name, caller.one_customer(customer_id))


@get(
    "/{request_id:str}/explain",
    opt=READ | says(RequestExplanation, 409, media_types=JSON_OR_TEXT),
    operation_id="explain_request",
    summary="Explain the amounts of a request",
)
async def get_request_explanation(
    request: AnyRequest,
    caller: TheCaller,
    request_id: RequestId,  # noqa: ARG001 - documents the parameter
    customer_id: Customer = None,
) -> Response[Any]:
    """Every revision with its prices, its arithmetic and its invoice."""
    name = name_in_path(request, "request_id", PATH, EXPLAIN)
    return await explained_request(request, caller, name, caller.one_customer(customer_id))


def _status(outcome: Outcome) -> int:
    is_new = outcome.verdict is Verdict.ACCEPTED and not outcome.completes
    return 201 if is_new else 200


async def _single_body(caller: Caller, record: Any, outcome: Outcome) -> dict[str, Any]:
    if outcome.verdict is Verdict.CONFLICT:
        raise RecordConflict(outcome.errors[0])
    if outcome.verdict is Verdict.REJECTED:
        if any(error.code == CustomerForbidden.code for error in outcome.errors):
            raise CustomerForbidden(CUSTOMER)
        raise InvalidRecord(outcome.errors)
    if outcome.rated is not None:
        return statement_body(outcome.rated)
    assert isinstance(record, Statement)  # noqa: S101 - what was read as a duplicate was read
    may_read = caller.key.may(frozenset({Scope.READ}))
    body = await show_request(
        caller.database, record.request_id, record.customer_id, detailed=may_read
    )
    if may_read:
        return body
    # What others said of it is for those who may read; the sender's own words it knows.
    return body | {"metadata": record.metadata or {}, "response_id": record.response_id}


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
    route_handlers=[
        create_request,
        create_batch,
        create_adjustment,
        get_requests,
        get_request,
        get_request_explanation,
    ],
    tags=["requests"],
)
