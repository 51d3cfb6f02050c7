"""`/v1/quarantine`: refused records, why, and what becomes of them."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Router, get, post

from ledger.api.authentication import INGEST, READ
from ledger.api.dependencies import Caller, TheCaller, intake_of
from ledger.api.openapi.answers.access import (
    Dismissal,
    QuarantinedDetail,
    QuarantinePage,
    ReplayAnswer,
)
from ledger.api.openapi.bodies import form
from ledger.api.openapi.operations import says
from ledger.api.openapi.parameters import (
    Cursor,
    Customer,
    QuarantineId,
    Query,
    Text,
    page_size,
)
from ledger.api.reading import AnyRequest, integer_parameter, plain_texts, read_form
from ledger.core.shapes import PlainText, Reason
from ledger.services.quarantine import (
    MAX_PAGE,
    OUTCOMES,
    dismiss,
    list_quarantined,
    show_quarantined,
)
from ledger.services.replaying import Replayed, replay
from ledger.store.quarantine import QuarantineFilter

DEFAULT_PAGE = 10
Limit = Annotated[Text, page_size(DEFAULT_PAGE, MAX_PAGE)]
Sender = Annotated[Text, Query(description="The id of the key that sent it.", shape=PlainText)]
Code = Annotated[Text, Query(description="Why it was refused.", shape=PlainText)]
RefusedAs = Annotated[Text, Query(description="How it was refused.", shape=Literal[OUTCOMES])]
StatedId = Annotated[Text, Query(description="The request id that it states.", shape=PlainText)]


class DismissForm(msgspec.Struct, forbid_unknown_fields=True):
    """Why a record need not be mended."""

    reason: Reason


@get(
    "/",
    opt=READ | says(QuarantinePage),
    operation_id="list_quarantine",
    summary="List refused records, last seen first",
)
async def get_quarantine(
    caller: TheCaller,
    cursor: Cursor = None,
    limit: Limit = None,
    sender: Sender = None,
    code: Code = None,
    outcome: RefusedAs = None,
    request_id: StatedId = None,
    customer_id: Customer = None,
) -> dict[str, Any]:
    """A page, and how many records there was no room for. Filters are what the records themselves say."""
    caller.one_customer(customer_id)
    texts = {"sender": sender, "code": code, "outcome": outcome, "request_id": request_id}
    for name, text in texts.items():
        plain_texts(name, [text or ""])
    wanted = QuarantineFilter(customer=_bound(caller), customer_id=customer_id, **texts)
    most = integer_parameter("limit", limit, DEFAULT_PAGE, 1, MAX_PAGE)
    return await list_quarantined(caller.database, wanted, cursor=cursor, most=most)


@get(
    "/{quarantine_id:str}",
    opt=READ | says(QuarantinedDetail),
    operation_id="show_quarantined",
    summary="Show a refused record",
)
async def get_quarantined(caller: TheCaller, quarantine_id: QuarantineId) -> dict[str, Any]:
    """Its content as it is kept, all its faults; of a conflict both statements and what differs."""
    return await show_quarantined(caller.database, quarantine_id, _bound(caller))


@post(
    "/{quarantine_id:str}/replay",
    status_code=200,
    opt=INGEST | says(ReplayAnswer),
    operation_id="replay_quarantined",
    summary="Send a refused record again",
)
async def post_replay(
    request: AnyRequest, caller: TheCaller, quarantine_id: QuarantineId
) -> Replayed:
    """As its sender sent it. What is recorded then leaves; refused again, it stays, with the new reason."""
    wanted = QuarantineFilter(customer=_bound(caller))
    return await replay(caller.ledger.database, intake_of(request), wanted, [quarantine_id])


@post(
    "/{quarantine_id:str}/dismiss",
    status_code=200,
    opt=INGEST | says(Dismissal, body=form(DismissForm)),
    operation_id="dismiss_quarantined",
    summary="Dismiss a refused record",
)
async def post_dismiss(
    request: AnyRequest, caller: TheCaller, quarantine_id: QuarantineId
) -> dict[str, Any]:
    """It is taken out; that it was, by whom and why, is a fact of the log."""
    form = await read_form(request, DismissForm)
    ledger = caller.ledger
    [body] = await dismiss(
        ledger.database,
        ledger.clock,
        caller.actor,
        [quarantine_id],
        reason=form.reason,
        customer=_bound(caller),
    )
    return body


def _bound(caller: Caller) -> int | None:
    """The customer that the caller's key is bound to, if it is to one."""
    return caller.customer or None


router = Router(
    "/v1/quarantine",
    route_handlers=[get_quarantine, get_quarantined, post_replay, post_dismiss],
    tags=["quarantine"],
)
