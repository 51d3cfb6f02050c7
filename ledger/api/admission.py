"""Who and what is let in to a handler: a key that may, and parameters that it has."""

from typing import Any

from litestar import Request
from litestar.types import BeforeRequestHookHandler

from ledger.api.authentication import KeyGuard
from ledger.api.parameters import refuse_unknown_parameters


def admitted_by(keys: KeyGuard) -> BeforeRequestHookHandler:
    """What the application does before every request; no handler may have another such hook in its place.

    A hook and no guard, because the framework copies the handler for each guard of a request. A coroutine,
    because what is none runs in another thread, which costs more than all that a handler does.
    """

    async def admit(request: Request[Any, Any, Any]) -> None:
        await keys(request)
        refuse_unknown_parameters(request)

    return admit
