"""What operations read, by the structs that read it; where none does, as it is judged."""

from collections.abc import Mapping
from typing import Annotated, Any, get_type_hints

from msgspec import Struct, defstruct

from ledger.api.openapi.operations import Body
from ledger.api.reading import JSON, NDJSON
from ledger.core.bodies import MAX_ARRAY_RECORDS
from ledger.core.records import KEPT_FIELDS, RequestRecord
from ledger.core.shapes import PLAIN, CustomerId, Reason, described
from ledger.core.usage.lava import ModelUsage
from ledger.core.usage.stated import COUNT_MAX, QUANTITY_FIELDS, SECONDS_FIELDS

_ENCODED = "`Content-Encoding` may be gzip or zstd."
_NULL = {"type": "null"}
_COUNT = {"anyOf": [{"type": "integer", "minimum": 0, "maximum": COUNT_MAX}, _NULL]}
_SECONDS = {
    "description": "Seconds, with at most 6 decimals; exact as a string.",
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": COUNT_MAX, "multipleOf": 0.000001},
        {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,6})?$"},
        _NULL,
    ],
}
_COST = {
    "description": "Below 10^18, with at most 18 decimals; exact as a string.",
    "anyOf": [
        {"type": "number", "exclusiveMinimum": -(10**18), "exclusiveMaximum": 10**18},
        {"type": "string", "pattern": r"^-?[0-9]{1,18}(\.[0-9]{1,18})?$"},
        _NULL,
    ],
}
_EXAMPLE = {
    "request_id": "req_01KTQ0X9WB4M3E7Z1R8V5N2C6D",
    "customer_id": "acme",
    "model": "accounts/fireworks/models/deepseek-v4-pro",
    "input_tokens": 1200,
    "cached_input_tokens": 200,
    "output_tokens": 350,
    "timestamp": "2026-10-05T08:00:00Z",
    "metadata": {"feature": "chat"},
}
# What counts only where nothing before it is stated is judged there alone.
_LATER_COST = {
    "description": "Counts where `reported_cost` is not stated, and by the same rule.",
    "anyOf": [
        {"type": "number"},
        {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
        _NULL,
    ],
}
_LATER_TIME = {
    "description": "Counts where no other time is stated, and by the same rule.",
    "anyOf": [{"type": "string", "pattern": PLAIN}, _NULL],
}
_TIME = {
    "description": "An RFC 3339 time with its offset, from 1970 to 24 hours ahead.",
    "anyOf": [{"type": "string", "format": "date-time"}, _NULL],
}
_OBJECT = {"anyOf": [{"type": "object"}, _NULL]}
_USAGE = {
    "description": "The provider's own usage object as it came; of a stream of Anthropic an array of them.",
    "anyOf": [_OBJECT, {"type": "array", "items": _OBJECT}],
}
_DECIMALS = dict.fromkeys(SECONDS_FIELDS, _SECONDS) | {"total_cost": _LATER_COST}


class Void(Struct, tag_field="kind", tag="void"):
    """Takes a request back, for good."""

    reason: Reason
    idempotency_key: Annotated[str, described("", minLength=1, maxLength=255, pattern=PLAIN)]
    customer_id: CustomerId | None = None


class Correction(Struct, tag_field="kind", tag="correction"):
    """New absolute quantities, one at least; what is left out stays as it is."""

    reason: Reason
    idempotency_key: Annotated[str, described("", minLength=1, maxLength=255, pattern=PLAIN)]
    customer_id: CustomerId | None = None


def _record() -> type[Struct]:
    """A record without what it keeps as it came: that has no type to describe."""
    hints = get_type_hints(RequestRecord, include_extras=True)
    typed = [(name, kind) for name, kind in hints.items() if name not in {*KEPT_FIELDS, "extra"}]
    fields = [(name, kind) if name == "request_id" else (name, kind, None) for name, kind in typed]
    return defstruct(RequestRecord.__name__, fields, namespace={"__doc__": "One LLM request."})


Record = _record()


def form(kind: type[Struct]) -> Body:
    """A small JSON object."""
    return Body({JSON: kind}, _ENCODED)


RECORD = Body({JSON: Record}, _ENCODED, example=_EXAMPLE)
BATCH = Body(
    {
        JSON: {
            "oneOf": [
                {"$ref": "#/components/schemas/Records"},
                {
                    "type": "object",
                    "properties": {"requests": {"$ref": "#/components/schemas/Records"}},
                    "required": ["requests"],
                },
            ]
        },
        NDJSON: {
            "description": "One record a line.",
            "type": "array",
            "items": {"$ref": "#/components/schemas/RequestRecord"},
        },
    },
    "An array of records, an object with one, or a record a line. Each record is judged by itself: "
    f"one that breaks a rule is counted as rejected and refuses no other. {_ENCODED}",
)
ADJUSTMENT = Body({JSON: Void | Correction}, f"A void or a correction. {_ENCODED}")


def refine(schemas: dict[str, Any]) -> None:
    """Say what the types of bodies do not: rules that are judged after decoding, and the batch."""
    record = schemas["RequestRecord"]
    record["properties"] = _record_fields(record["properties"])
    record["additionalProperties"] = {"description": "Whatever else there is is kept."}
    usage = schemas["ModelUsage"]
    usage["properties"] |= {
        name: rule for name, rule in _DECIMALS.items() if name in usage["properties"]
    }
    for name in ("Void", "Correction"):
        schemas[name]["additionalProperties"] = False
    correction = schemas["Correction"]
    correction["properties"] |= {name: _quantity(name) for name in QUANTITY_FIELDS}
    correction["anyOf"] = [_states(name) for name in QUANTITY_FIELDS]
    schemas["Records"] = {
        "type": "array",
        "items": {"$ref": "#/components/schemas/RequestRecord"},
        "maxItems": MAX_ARRAY_RECORDS,
    }


def _record_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: {"description": "Kept as it came."} for name in KEPT_FIELDS}
    times = {"timestamp": _TIME, "occurred_at": _TIME, "created_at": _LATER_TIME}
    costs = {"reported_cost": _COST, "cost": _LATER_COST}
    seconds = dict.fromkeys(SECONDS_FIELDS, _SECONDS)
    reported = {
        "model_usage": {"anyOf": [{"$ref": "#/components/schemas/ModelUsage"}, _NULL]},
        "usage": _USAGE,
    }
    return {**fields, **kept, **times, **costs, **seconds, **reported}


def _quantity(name: str) -> dict[str, Any]:
    return _SECONDS if name in SECONDS_FIELDS else _COUNT


def _states(name: str) -> dict[str, Any]:
    return {"required": [name], "properties": {name: {"not": _NULL}}}


REFINED = (Record, ModelUsage, Void, Correction)
