"""Answers to what is asked most."""

from typing import Any

import msgspec
from litestar.types import Receive, Scope, Send


class JsonAnswer:
    """A JSON document, encoded and sent as it is.

    A response of the framework looks for cookies, encoders by type and work to do afterwards, at the cost of
    several times the encoding. The headers are the same.
    """

    __slots__ = ("_body", "_status")

    def __init__(self, document: Any, status: int = 200) -> None:
        self._body = msgspec.json.encode(document)
        self._status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        """Send it."""
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(self._body)),
        ]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})
