"""Who may ask: every endpoint but the public ones wants a bearer key."""

import hashlib
import hmac
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from ledger.core.errors import NotAuthenticated

SENDER = "admin"  # the name under which records of the one admin key are quarantined


class KeyGuard:
    """Lets a request pass that carries the admin key. The key itself is not kept, only its digest."""

    def __init__(self, admin_key: str) -> None:
        self._digest = _digest(admin_key)

    def __call__(
        self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:
        """Check the key of a request.

        Raises:
            NotAuthenticated: none, or not a valid one.
        """
        if handler.opt.get("public"):
            return
        scheme, _, key = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise NotAuthenticated("send a key: Authorization: Bearer <key>")
        if not hmac.compare_digest(_digest(key.strip()), self._digest):
            raise NotAuthenticated("the key is not valid")


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
