"""Counting requests, around everything that answers them."""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from ledger.clock import stopwatch_s
from ledger.metrics.http import NO_ROUTE, HttpMetrics


def with_measuring(metrics: HttpMetrics, application: ASGIApp) -> ASGIApp:
    """The application, each of whose requests is counted under its route as that is declared."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await application(scope, receive, send)
            return
        status, begun_s = 0, stopwatch_s()

        # Not a coroutine of its own: it hands on that of the next, and so costs next to nothing.
        def send_and_note(message: Message) -> object:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        try:
            await application(scope, receive, send_and_note)  # type: ignore[arg-type]
        finally:
            route = scope.get("path_template") or NO_ROUTE
            metrics.answered(route, scope["method"], status, stopwatch_s() - begun_s)

    return answer
