"""Names are any text, also in a path: a slash in one does not part the path that it stands in."""

import re
from collections.abc import Awaitable
from urllib.parse import unquote

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

_SLASH = re.compile("%2f", re.IGNORECASE)
# Where an id stands that may have slashes even as they are, and what can follow it.
_NAMED = (
    re.compile(rb"(/v1/requests/).+?(/explain|/adjustments)?"),
    re.compile(rb"(/v1/customers/).+()"),
)
_ANY = "-"
_BATCH = b"/v1/requests/batch"  # takes batches, and gives the request of that name


def with_names_in_paths(application: ASGIApp) -> ASGIApp:
    """The application, whose router sees %2F as it came, and no id that could be taken for a path.

    Decoded it would be folded: `/v1/customers/%2F` would be the list of customers. Handlers read names from
    the raw path, see `ledger.api.reading.name_in_path`.
    """

    # No coroutine of its own: it hands on that of the application.
    def route(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == ScopeType.HTTP:
            is_name = scope["raw_path"] != _BATCH or scope["method"] == HttpMethod.GET
            scope["path"] = (is_name and _routed(scope["raw_path"])) or scope["path"]
        return application(scope, receive, send)

    return route


def _routed(raw_path: bytes) -> str | None:
    """The path as the router should see it, if not as it is."""
    for pattern in _NAMED:
        if found := pattern.fullmatch(raw_path):
            return found[1].decode() + _ANY + (found[2] or b"").decode()
    if b"%2" in raw_path:
        return unquote(_SLASH.sub("%252F", raw_path.decode("latin-1")))
    return None
