"""The document itself: what litestar knows of routes, completed with what handlers say.

Litestar names paths, tags and summaries. It does not see bodies that handlers read themselves, what the
text of a parameter stands for; all that is put right here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import OpenAPI
from litestar.routes import BaseRoute, HTTPRoute

from ledger.api.openapi.described import KEY_SCHEME, described
from ledger.api.openapi.operations import operation_of
from ledger.api.openapi.schemas import components_of

Document = dict[str, Any]
Routes = Callable[[], Sequence[BaseRoute]]


@dataclass
class LedgerOpenAPI(OpenAPIConfig):
    """The configuration of litestar, whose document comes out complete; `routes` are the application's."""

    routes: Routes = list

    def to_openapi_schema(self) -> OpenAPI:
        """What litestar fills in, and what completes itself when it is written out."""
        return _Completed(**vars(super().to_openapi_schema()), routes=self.routes)


@dataclass
class _Completed(OpenAPI):
    routes: Routes = field(default=list)

    @property
    def _exclude_fields(self) -> set[str]:
        return {*super()._exclude_fields, "routes"}

    def to_schema(self) -> Document:
        return _complete(super().to_schema(), _handlers(self.routes()))


def _complete(
    document: Document, handlers: Iterator[tuple[str, str, HTTPRouteHandler]]
) -> Document:
    """The document with its operations as their handlers, by path and method, say that they are."""
    paths: dict[str, Document] = {}
    kinds: list[Any] = []
    # The framework keeps methods in sets; a document should be the same in every process.
    for path, method, handler in sorted(handlers, key=itemgetter(0, 1)):
        operation = operation_of(handler.opt)
        kinds += operation.kinds
        known = document["paths"][path][method]
        paths.setdefault(path, {})[method] = described(known, operation, handler)
    components = {"securitySchemes": {"key": KEY_SCHEME}, "schemas": components_of(kinds)}
    return {**document, "paths": paths, "components": components}


def _handlers(routes: Sequence[BaseRoute]) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                if handler.resolve_include_in_schema():
                    yield route.path_format or "/", method.lower(), handler
