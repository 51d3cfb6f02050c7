"""Problem documents as the schema shows them."""

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from ledger.api.openapi.answers.access import ReadinessCheck
from ledger.api.openapi.answers.requests import BatchAnswer
from ledger.api.problems import PROBLEM_JSON, TITLES
from ledger.core.errors import FieldError


class Envelope(Struct):
    """The error as clients of Lava read it."""

    message: str
    code: str
    status: int


class Problem(Struct):
    """Why a request was refused (RFC 9457); docs/errors.md lists the codes.

    `errors` names fields, where fields are at fault; `progress` says what landed of lines that broke off;
    `checks` what keeps a server from its work.
    """

    type: str
    title: str
    status: int
    detail: str
    error: Envelope
    errors: list[FieldError] | UnsetType = UNSET
    progress: BatchAnswer | UnsetType = UNSET
    checks: list[ReadinessCheck] | UnsetType = UNSET


_HEADERS: dict[int, dict[str, tuple[str, dict[str, Any]]]] = {
    401: {"WWW-Authenticate": ("How to show a key.", {"const": "Bearer"})},
    405: {"Allow": ("The methods that the path takes.", {"type": "string"})},
    429: {"Retry-After": ("Seconds to wait.", {"type": "integer", "minimum": 1})},
}


def problem_answer(status: int) -> dict[str, Any]:
    """The answer of a status."""
    return {
        "description": TITLES[status],
        "headers": {
            name: {"description": said, "required": True, "schema": schema}
            for name, (said, schema) in _HEADERS.get(status, {}).items()
        },
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
