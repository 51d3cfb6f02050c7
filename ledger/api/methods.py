"""Which methods a path takes, for `OPTIONS` and for whoever tried another."""

from collections.abc import Awaitable
from contextlib import suppress

from litestar import Litestar
from litestar.enums import HttpMethod, ScopeType
from litestar.exceptions import MethodNotAllowedException, NotFoundException
from litestar.status_codes import HTTP_204_NO_CONTENT
from litestar.types import ASGIApp, Receive, Scope, Send
from litestar.utils import normalize_path

_METHODS = (HttpMethod.GET, HttpMethod.POST, HttpMethod.PUT, HttpMethod.PATCH, HttpMethod.DELETE)


def methods_of(app: Litestar, path: str) -> str:
    """The methods that a path takes, as the header `Allow` has them; empty where there is nothing."""
    path, allowed = normalize_path(path), []
    for method in _METHODS:
        with suppress(MethodNotAllowedException, NotFoundException):
            app.asgi_router.handle_routing(path=path, method=method)
            allowed.append(method.value)
    return ", ".join(allowed)


def with_options(app: Litestar, application: ASGIApp) -> ASGIApp:
    """The application, answering `OPTIONS` itself: the framework names one handler's methods alone."""

    # No coroutine of its own: it hands on one.
    def route(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        is_asked = scope["type"] == ScopeType.HTTP and scope["method"] == HttpMethod.OPTIONS
        allowed = methods_of(app, scope["path"]) if is_asked else ""
        return answer(allowed, send) if allowed else application(scope, receive, send)

    async def answer(allowed: str, send: Send) -> None:
        headers = [(b"allow", f"{allowed}, OPTIONS".encode())]
        start = {"type": "http.response.start", "status": HTTP_204_NO_CONTENT, "headers": headers}
        await send(start)  # type: ignore[arg-type]
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return route
