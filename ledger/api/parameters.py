"""Query parameters that an endpoint does not have are refused: a misspelt filter must not answer for all."""

import inspect
from functools import cache
from typing import Any, get_args

from litestar import Request
from litestar.params import QueryParameter

from ledger.core.errors import InvalidParameter


def refuse_unknown_parameters(request: Request[Any, Any, Any]) -> None:
    """Check the names of a request's query parameters.

    Raises:
        InvalidParameter: one that the endpoint does not have.
    """
    if not request.scope["query_string"]:
        return
    known = _known_parameters(request.route_handler.fn)
    for name in request.query_params:
        if name not in known:
            words = (
                f"one of {', '.join(sorted(known))}" if known else "left out; there are none here"
            )
            raise InvalidParameter(name[:100], f"is no parameter of this endpoint: must be {words}")


@cache
def _known_parameters(function: Any) -> frozenset[str]:
    """The query parameters in a handler's signature, by the names that they have in a URL."""
    names = set()
    for name, parameter in inspect.signature(function).parameters.items():
        for mark in get_args(parameter.annotation)[1:]:
            if isinstance(mark, type(QueryParameter())):
                names.add(mark.name or name)
    return frozenset(names)
