"""Who and what is let in to a handler: a key that may, and parameters that it has."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from ledger.api.authentication import KeyGuard
from ledger.api.parameters import refuse_unknown_parameters


def admitted_by(keys: KeyGuard) -> Guard:
    """The one guard of the application.

    One, because the framework copies the handler for each guard of a request; and a coroutine, because what
    is none runs in another thread, which costs more than all that a handler does.
    """

    async def admit(
        connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:
        await keys(connection, handler)
        refuse_unknown_parameters(connection, handler)

    return admit
