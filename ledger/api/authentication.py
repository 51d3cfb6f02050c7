"""Who may ask: every endpoint but the public ones wants a bearer key that is alive and has its scope.

An endpoint names what it wants in `opt`: one of the constants here. One that names nothing is closed.
"""

import hmac
from typing import Any

from litestar import Request

from ledger.api.headers import header_of
from ledger.clock import Clock
from ledger.core.errors import DatabaseUnavailable, Forbidden, NotAuthenticated
from ledger.core.instants import FIRST_INSTANT
from ledger.core.keys import ApiKey, Scope, key_digest
from ledger.services.key_ring import KeyRing

_SCOPES = "scopes"
_BEARS_ABSENCE = "bears_absence"

PUBLIC = {"public": True}
# While the database is away, a key opens it that was good when it was last looked up.
BEARS_ABSENCE = {_BEARS_ABSENCE: True}
INGEST = {_SCOPES: frozenset({Scope.INGEST})}
READ = {_SCOPES: frozenset({Scope.READ})}
READ_BOOKS = {_SCOPES: frozenset({Scope.READ, Scope.FINANCE})}
FINANCE = {_SCOPES: frozenset({Scope.FINANCE})}
ADMIN = {_SCOPES: frozenset({Scope.ADMIN})}


class KeyGuard:
    """Lets a request pass whose key may make it, and leaves the key in the request as `auth`.

    The admin key of the environment is no row of the ledger. It is not kept here either, only its digest.
    """

    def __init__(self, admin_key: str, ring: KeyRing, clock: Clock) -> None:
        self._admin = ApiKey(
            key_id="admin",
            digest=key_digest(admin_key),
            name="admin",
            scopes=frozenset({Scope.ADMIN}),
            created_at=FIRST_INSTANT,
            created_by="environment",
        )
        self._ring = ring
        self._clock = clock

    async def __call__(self, request: Request[Any, Any, Any]) -> None:
        """Check the key of a request.

        Raises:
            NotAuthenticated: none, or not a valid one.
            Forbidden: it does not have the scope.
            DatabaseUnavailable: whether the key is alive cannot be known.
        """
        scope, stated = request.scope, request.route_handler.opt
        if stated.get("public"):
            return
        bears_absence = bool(stated.get(_BEARS_ABSENCE))
        key = await self._key_of(header_of(scope, b"authorization"), bears_absence=bears_absence)
        wanted = stated.get(_SCOPES, ADMIN[_SCOPES])
        if not key.may(wanted):
            words = " or ".join(scope for scope in Scope if scope in wanted)
            raise Forbidden(f"the key needs the scope {words}")
        scope["auth"] = key

    async def require_alive(self, key: ApiKey) -> None:
        """Check a key again, while its request goes on.

        Raises:
            NotAuthenticated: it was revoked or has expired meanwhile.
        """
        current = key if key is self._admin else await self._ring.look(key.key_id)
        if current is None or not current.is_alive(self._clock.now()):
            raise NotAuthenticated("the key is not valid any more")

    async def _key_of(self, authorization: str, *, bears_absence: bool) -> ApiKey:
        scheme, _, text = authorization.partition(" ")
        text = text.strip()
        if scheme.lower() != "bearer" or not text:
            raise NotAuthenticated("send a key: Authorization: Bearer <key>")
        if hmac.compare_digest(key_digest(text), self._admin.digest):
            return self._admin
        try:
            key = await self._ring.find(text)
        except DatabaseUnavailable:
            key = self._ring.last_known(text) if bears_absence else None
            if key is None:
                raise
        if key is None or not key.opens_with(text, self._clock.now()):
            raise NotAuthenticated("the key is not valid")
        return key
