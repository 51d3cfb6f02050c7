"""One operation as the document has it."""

import inspect
from collections.abc import Iterator
from typing import Any, get_args

from litestar.enums import MediaType
from litestar.handlers import HTTPRouteHandler

from ledger.api.authentication import ADMIN
from ledger.api.openapi.operations import Body, Operation
from ledger.api.openapi.parameters import Path, Query
from ledger.api.openapi.problems import problem_answer
from ledger.api.openapi.schemas import schema_of
from ledger.core.keys import Scope

KEY_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key. An operation names the scopes that open it; a key with `admin` opens every one.",
}
_OF_A_KEY = (401, 403, 429, 503)
_OF_A_BODY = (413, 415)

Document = dict[str, Any]


def described(known: Document, operation: Operation, handler: HTTPRouteHandler) -> Document:
    """What litestar knows of an operation, with what its handler says."""
    parameters = [_parameter(name, mark) for name, mark in _marks(handler)]
    security = _security(handler)
    statuses = {400, *operation.problems}
    statuses |= {404} if any(each["in"] == "path" for each in parameters) else set()
    statuses |= set(_OF_A_KEY) if security else set()
    statuses |= set(_OF_A_BODY) if operation.body else set()
    refusals = {str(status): problem_answer(status) for status in sorted(statuses)}
    return {
        **{name: known[name] for name in ("tags", "summary", "description", "operationId")},
        "security": security,
        "parameters": parameters,
        **({"requestBody": _request_body(operation.body)} if operation.body else {}),
        "responses": _answers(operation) | refusals,
    }


def _marks(handler: HTTPRouteHandler) -> Iterator[tuple[str, Query | Path]]:
    """The parameters in a handler's signature, by the names that they have outside."""
    for name, parameter in inspect.signature(handler.fn).parameters.items():
        for mark in get_args(parameter.annotation)[1:]:
            if isinstance(mark, Query | Path):
                yield mark.name or name, mark


def _parameter(name: str, mark: Query | Path) -> Document:
    return {
        "name": name,
        "in": mark.param_type.value,
        "description": mark.description,
        "required": mark.must,
        "schema": schema_of(mark.shape),
    }


def _security(handler: HTTPRouteHandler) -> list[Document]:
    """One of these must be met; none for an operation that is open to everybody."""
    if handler.opt.get("public"):
        return []
    wanted = handler.opt.get("scopes", ADMIN["scopes"])
    return [{"key": [scope.value]} for scope in Scope if scope in wanted]


def _request_body(body: Body) -> Document:
    example = {} if body.example is None else {"example": body.example}
    contents = {
        kind: {"schema": schema_of(shape), **example} for kind, shape in body.contents.items()
    }
    return {"description": body.description, "required": True, "content": contents}


def _answers(operation: Operation) -> Document:
    return {
        str(status): {"description": meaning, "content": _contents(operation)}
        for status, meaning in operation.statuses.items()
    }


def _contents(operation: Operation) -> Document:
    return {
        kind: {"schema": schema_of(operation.answer if kind == MediaType.JSON else str)}
        for kind in operation.media_types
    }
