"""`/v1/keys`: who may ask for what."""

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post

from ledger.api.authentication import ADMIN, READ
from ledger.api.dependencies import TheCaller, key_ring_of
from ledger.api.openapi.answers.access import KeyAnswer, KeyPage, NewKey
from ledger.api.openapi.bodies import form
from ledger.api.openapi.operations import says
from ledger.api.openapi.parameters import Cursor, KeyId, Text, page_size
from ledger.api.reading import AnyRequest, integer_parameter, plain_texts, read_form
from ledger.core.shapes import Reason
from ledger.services.keys import KeyRequest, create_key, revoke_key, show_key, show_keys

DEFAULT_PAGE = 100
MOST_LISTED = 1000
Limit = Annotated[Text, page_size(DEFAULT_PAGE, MOST_LISTED)]


class RevocationForm(msgspec.Struct, forbid_unknown_fields=True):
    """Why a key is revoked."""

    reason: Reason | None = None


@post(
    "/",
    opt=ADMIN | says(NewKey, statuses={201: "It is made."}, body=form(KeyRequest)),
    operation_id="create_key",
    summary="Make a key",
)
async def post_key(request: AnyRequest, caller: TheCaller) -> dict[str, Any]:
    """The key stands in this answer and nowhere else. `customer_id` binds it to that customer."""
    wanted = await read_form(request, KeyRequest)
    return await create_key(caller.ledger.database, caller.ledger.clock, caller.actor, wanted)


@get("/", opt=READ | says(KeyPage), operation_id="list_keys", summary="List keys, oldest first")
async def get_keys(
    caller: TheCaller,
    cursor: Cursor = None,
    limit: Limit = None,
) -> dict[str, Any]:
    """What they may do, for whom, since and until when. `cursor` is the last id of the page before."""
    most = integer_parameter("limit", limit, DEFAULT_PAGE, 1, MOST_LISTED)
    plain_texts("cursor", [cursor or ""])
    rows = await show_keys(
        caller.database, customer=caller.customer or None, after=cursor, most=most + 1
    )
    has_more = len(rows) > most
    return {
        "data": rows[:most],
        "has_more": has_more,
        "next_cursor": rows[most - 1]["key_id"] if has_more else None,
    }


@get("/{key_id:str}", opt=READ | says(KeyAnswer), operation_id="show_key", summary="Show a key")
async def get_key(caller: TheCaller, key_id: KeyId) -> dict[str, Any]:
    """All but the key itself."""
    return await show_key(caller.database, key_id, customer=caller.customer or None)


@post(
    "/{key_id:str}/revoke",
    status_code=200,
    opt=ADMIN | says(KeyAnswer, body=form(RevocationForm)),
    operation_id="revoke_key",
    summary="Revoke a key",
)
async def post_revocation(request: AnyRequest, caller: TheCaller, key_id: KeyId) -> dict[str, Any]:
    """For good; within a second no server takes it any more. Again, it changes nothing."""
    form = await read_form(request, RevocationForm, may_be_empty=True)
    ledger = caller.ledger
    body = await revoke_key(ledger.database, ledger.clock, caller.actor, key_id, form.reason)
    key_ring_of(request).forget(key_id)
    return body


router = Router(
    "/v1/keys", route_handlers=[post_key, get_keys, get_key, post_revocation], tags=["keys"]
)
