"""Errors as problem documents (RFC 9457) that also carry Lava's envelope; the one place that maps them."""

import logging
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR

from ledger.core import errors

_LOG = logging.getLogger(__name__)

# Where a class is not listed, its nearest listed ancestor counts.
STATUS_BY_ERROR: dict[type[errors.LedgerError], int] = {
    errors.BadRequest: 400,
    errors.BodyTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.NotAuthenticated: 401,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.UnprocessableDecision: 422,
    errors.TooBusy: 429,
    errors.DatabaseUnavailable: 503,
    errors.SetupError: 503,
}
_TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Unprocessable",
    429: "Too busy",
    500: "Internal error",
    503: "Unavailable",
}
_CODES = {404: "not_found", 405: "method_not_allowed", 500: "internal_error"}
PROBLEM_JSON = "application/problem+json"


def status_of(error: errors.LedgerError) -> int:
    """The HTTP status of an error of ours."""
    return next(STATUS_BY_ERROR[kind] for kind in type(error).__mro__ if kind in STATUS_BY_ERROR)


def answer_ledger_error(_: Request[Any, Any, Any], error: errors.LedgerError) -> Response[Any]:
    """An error that was raised on purpose."""
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


def answer_http_error(_: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """An error of the framework: an unknown path, a parameter of the wrong type."""
    code = _CODES.get(error.status_code, "invalid_request")
    extra = {"errors": error.extra} if isinstance(error.extra, list) and error.extra else {}
    return _problem(error.status_code, code, error.detail, extra, dict(error.headers or {}))


def answer_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A defect of ours. The log has it; the answer says no more than that."""
    _LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _problem(
        HTTP_500_INTERNAL_SERVER_ERROR,
        "internal_error",
        "the server failed; its log says why",
        {},
        {},
    )


def _problem(
    status: int, code: str, detail: str, extra: dict[str, Any], headers: dict[str, str]
) -> Response[Any]:
    body = {
        "type": f"urn:ledger:problem:{code}",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "error": {"message": detail, "code": code, "status": status},
        **extra,
    }
    return Response(
        msgspec.json.encode(body), status_code=status, media_type=PROBLEM_JSON, headers=headers
    )
