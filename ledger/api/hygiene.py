"""What every answer carries, whatever gave it: an id to find its log lines by, and headers for browsers."""

import re
from collections.abc import Awaitable, Iterable

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from ledger.logs import REQUEST_ID
from ledger.randomness import new_name

NOTHING_LOADED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
CONTENT_POLICY = b"content-security-policy"
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (CONTENT_POLICY, NOTHING_LOADED.encode()),
)
_BUT_POLICY = SECURITY_HEADERS[:-1]
_HEADER = b"x-request-id"
_STATED = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def with_hygiene(application: ASGIApp) -> ASGIApp:
    """The application with a request id and security headers on each of its answers.

    The id is the caller's `X-Request-Id` if that is 1 to 64 characters of A-Z a-z 0-9 . _ -, else a new one.
    An answer may bring a content policy of its own.
    """

    # Neither this nor what it sends by is a coroutine of its own: they hand on that of the next.
    def answer(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != ScopeType.HTTP:
            return application(scope, receive, send)
        request_id = _stated_id(scope["headers"]) or new_name("").encode()
        # Each request is a task of its own, so nobody has to take the id back.
        REQUEST_ID.set(request_id.decode())

        def send_with_headers(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                stated = message["headers"]
                added = _BUT_POLICY if CONTENT_POLICY in dict(stated) else SECURITY_HEADERS
                message["headers"] = [*stated, (_HEADER, request_id), *added]
            return send(message)

        return application(scope, receive, send_with_headers)

    return answer


def _stated_id(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    for name, value in headers:
        if name == _HEADER:
            return value if _STATED.fullmatch(value) else None
    return None
