"""A span for every request: its route and its status, and nothing of what was asked."""

from collections.abc import Iterable

from litestar.enums import ScopeType
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from ledger.logs import REQUEST_ID
from ledger.traces.spans import recorder

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PARENT = b"traceparent"


def with_spans(application: ASGIApp) -> ASGIApp:
    """The application with a span around each request; where nobody records, the application itself.

    A caller's `traceparent` is continued. The path, the query, headers and bodies are not looked at.
    """
    recording = recorder()
    if recording is None:
        return application

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await application(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        with recording.request(method, _parent(scope["headers"])) as span:
            span.set_attribute("ledger.request_id", REQUEST_ID.get())

            async def send_noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = message["status"]
                    span.set_attribute("http.response.status_code", status)
                    if status >= HTTP_500_INTERNAL_SERVER_ERROR:
                        recording.fail(span)
                await send(message)

            try:
                await application(scope, receive, send_noted)
            finally:
                if route := scope.get("path_template"):
                    span.set_attribute("http.route", route)
                    span.update_name(f"{method} {route}")

    return answer


def _parent(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The one `traceparent`; two contradict each other."""
    stated = [value for name, value in headers if name == _PARENT]
    return stated[0].decode("latin-1") if len(stated) == 1 else None
