"""Types as JSON Schema: structs as components that are named once, everything else where it stands."""

from typing import Any

import msgspec

from ledger.api.openapi.answers.requests import BatchAnswer
from ledger.api.openapi.bodies import REFINED, refine
from ledger.api.openapi.problems import Problem

_REFERENCE = "#/components/schemas/{name}"
_ALWAYS = (Problem, BatchAnswer, *REFINED)


def schema_of(kind: Any) -> dict[str, Any]:
    """A type, or a schema as it is."""
    if isinstance(kind, dict):
        return kind
    [schema], _ = msgspec.json.schema_components([kind], ref_template=_REFERENCE)
    return schema


def components_of(kinds: list[Any]) -> dict[str, Any]:
    """The structs that types speak of, by their names."""
    types = [*_ALWAYS, *(kind for kind in kinds if not isinstance(kind, dict))]
    _, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    refine(components)
    return dict(sorted(components.items()))
