"""What a connection is told that is ended before a request of it could be answered."""

from typing import NamedTuple

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from ledger.api.hygiene import SECURITY_HEADERS
from ledger.api.problems import PROBLEM_JSON, problem_body


class Refusal(NamedTuple):
    """Why a connection is ended."""

    status: int
    code: str
    detail: str


TOO_MANY = Refusal(503, "too_many_connections", "as many connections as may be open are open")
MALFORMED = Refusal(400, "malformed_request", "this is not HTTP/1.1")
HEAD_TOO_LARGE = Refusal(431, "head_too_large", "the head of the request is too long")
FRAMING_TOO_LARGE = Refusal(400, "malformed_request", "too little of the body is body")
HEAD_TOO_SLOW = Refusal(408, "request_timeout", "the head of the request took too long")
BODY_TOO_SLOW = Refusal(408, "request_timeout", "the body came too slowly, or stopped")


def document(refusal: Refusal) -> bytes:
    """The whole answer as it goes over the wire: a problem document, and the end of the connection."""
    body = problem_body(refusal.status, refusal.code, refusal.detail, {})
    headers = (
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *SECURITY_HEADERS,
    )
    lines = [name + b": " + value + b"\r\n" for name, value in headers]
    return b"".join([STATUS_LINE[refusal.status], *lines, b"\r\n", body])
