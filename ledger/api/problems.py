"""Errors as problem documents (RFC 9457) that also carry Lava's envelope; the one place that maps them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.status_codes import HTTP_405_METHOD_NOT_ALLOWED, HTTP_500_INTERNAL_SERVER_ERROR

from ledger.api.methods import methods_of
from ledger.core import errors
from ledger.logs import logger

_LOG = logger(__name__)

# Where a class is not listed, its nearest listed ancestor counts.
STATUS_BY_ERROR: dict[type[errors.LedgerError], int] = {
    errors.BadRequest: 400,
    errors.BodyTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.NotAuthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.UnprocessableDecision: 422,
    errors.TooBusy: 429,
    errors.DatabaseUnavailable: 503,
    errors.SetupError: 503,
}
TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    402: "Limit reached",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Unprocessable",
    429: "Too busy",
    431: "Head too large",
    500: "Internal error",
    503: "Unavailable",
}
# What the framework refuses, in our words: its own repeat what was asked.
_OF_THE_FRAMEWORK = {
    404: ("not_found", "there is nothing under this path"),
    405: ("method_not_allowed", "this path does not take the method; Allow says which it takes"),
}
_OTHERWISE = ("invalid_request", "the request is not as this endpoint takes it")
CLIENT_GONE = "client disconnected prematurely"  # how the framework calls it
PROBLEM_JSON = "application/problem+json"

AnyRequest = Request[Any, Any, Any]


def status_of(error: errors.LedgerError) -> int:
    """The HTTP status of an error of ours."""
    return next(STATUS_BY_ERROR[kind] for kind in type(error).__mro__ if kind in STATUS_BY_ERROR)


def answer_ledger_error(request: AnyRequest, error: errors.LedgerError) -> Response[Any]:
    """An error that was raised on purpose. What is wrong with the server is for its log."""
    if isinstance(error, errors.SetupError):
        _LOG.error("not_set_up", route=_route_of(request), detail=error.detail, exc_info=error)
        return _problem(status_of(error), error.code, "the server is not set up; its log says why")
    extra: dict[str, Any] = {}
    if faults := getattr(error, "errors", None):
        extra["errors"] = faults
    if progress := getattr(error, "progress", None):
        extra["progress"] = progress
    headers = {}
    if isinstance(error, errors.TooBusy):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, errors.NotAuthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return _problem(status_of(error), error.code, error.detail, extra, headers)


def answer_http_error(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """An error of the framework: an unknown path, a parameter of the wrong type."""
    status = error.status_code
    if status >= HTTP_500_INTERNAL_SERVER_ERROR:
        return answer_unexpected(request, error)
    code, detail = _OF_THE_FRAMEWORK.get(status, _OTHERWISE)
    headers = (
        {"Allow": methods_of(request.app, request.scope["path"])}
        if status == HTTP_405_METHOD_NOT_ALLOWED
        else {}
    )
    stated = error.extra if isinstance(error.extra, list) else []
    faults = [
        errors.FieldError(each.get("key"), errors.InvalidParameter.code, each.get("message", ""))
        for each in stated
    ]
    return _problem(status, code, detail, {"errors": faults} if faults else {}, headers)


def answer_unexpected(request: AnyRequest, error: Exception) -> Response[Any]:
    """A defect of ours. The log has its type and its frames; the answer says no more than that."""
    if isinstance(error, HTTPException) and error.detail == CLIENT_GONE:
        _LOG.info("client_gone", route=_route_of(request))
    else:
        _LOG.error("request_failed", route=_route_of(request), exc_info=error)
    return _problem(
        HTTP_500_INTERNAL_SERVER_ERROR, "internal_error", "the server failed; its log says why"
    )


def problem_body(status: int, code: str, detail: str, extra: Mapping[str, Any]) -> bytes:
    """A problem document with Lava's envelope in it."""
    body = {
        "type": f"urn:ledger:problem:{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "error": {"message": detail, "code": code, "status": status},
        **extra,
    }
    return msgspec.json.encode(body)


def _problem(
    status: int,
    code: str,
    detail: str,
    extra: Mapping[str, Any] = MappingProxyType({}),
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Response[Any]:
    body = problem_body(status, code, detail, extra)
    return Response(body, status_code=status, media_type=PROBLEM_JSON, headers=headers)


def _route_of(request: AnyRequest) -> str:
    """The method and the route as it is declared; what stood in its place is the caller's."""
    return f"{request.method} {request.scope.get('path_template') or '(no route)'}"
