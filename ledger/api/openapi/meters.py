"""The form of a meter: what each kind states, as `pricing.meters` reads it."""

from typing import Any

from msgspec import Struct

from ledger.api.openapi.operations import Body
from ledger.api.reading import JSON
from ledger.core.shapes import PLAIN, Reason
from pricing import TERMS_BY_KIND, MeterUnit


class MeterForm(Struct, forbid_unknown_fields=True):
    """A meter: `kind` and what that asks for, or Lava's `rate_type`, `tier_type` and `tiers`."""

    meter_slug: str
    reason: Reason | None = None
    kind: str | None = None
    percentage: str | None = None
    unit: str | None = None
    rate: str | None = None
    tiers: list[dict[str, Any]] | None = None
    package_size: int | str | None = None
    period: str | None = None
    rate_type: str | None = None
    tier_type: str | None = None


_PERCENTAGE = {
    "description": "From 0 to 1000 with up to 6 places.",
    "type": "string",
    "pattern": r"^(1000(\.0{1,6})?|0?[0-9]{1,3}(\.[0-9]{1,6})?)$",
}
_RATE = {
    "description": "A plain decimal with up to 12 places.",
    "type": "string",
    "pattern": r"^[0-9]{1,6}(\.[0-9]{1,12})?$",
}
_COUNT = {"description": "A whole number, or its digits."}


def _count(least: int) -> dict[str, Any]:
    digits = r"^(0|[1-9][0-9]{0,14})$" if least == 0 else r"^[1-9][0-9]{0,14}$"
    return _COUNT | {
        "anyOf": [
            {"type": "integer", "minimum": least, "maximum": 10**15},
            {"type": "string", "pattern": digits},
        ]
    }


_TIERS = {
    "description": "From 0 up, each to the start of the next; an end only repeats where that is.",
    "type": "array",
    "minItems": 1,
    "maxItems": 100,
    "items": {
        "type": "object",
        "properties": {
            "start": _count(0),
            "rate": _RATE,
            "end": {"anyOf": [_count(0), {"type": "null"}]},
        },
        "required": ["start", "rate"],
        "additionalProperties": False,
    },
}
_UNIT = {"enum": [unit.value for unit in MeterUnit]}
_TERMS = {
    "percentage": _PERCENTAGE,
    "unit": _UNIT,
    "rate": _RATE,
    "tiers": _TIERS,
    "package_size": _count(1),
    "period": {"enum": ["month", "lifetime", None]},
}
_NAMES = {
    "meter_slug": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"},
    "reason": {
        "anyOf": [
            {"type": "string", "minLength": 1, "maxLength": 1000, "pattern": PLAIN},
            {"type": "null"},
        ]
    },
}
# A null says nothing, whatever the kind.
_LEFT_OUT = {term: {"type": "null"} for term in ("kind", "rate_type", "tier_type", *_TERMS)}


def _form(title: str, required: tuple[str, ...], terms: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": title,
        "type": "object",
        "properties": _NAMES | _LEFT_OUT | terms,
        "required": ["meter_slug", *required],
        "additionalProperties": False,
    }


def _of_kind(kind: str, names: tuple[str, ...]) -> dict[str, Any]:
    required = tuple(name for name in names if name != "period")
    terms = {"kind": {"const": kind}} | {name: _TERMS[name] for name in names}
    return _form(kind, ("kind", *required), terms)


_LAVAS = _form(
    "Lava's",
    ("rate_type", "tier_type", "tiers"),
    {"rate_type": {"const": "fixed"}, "tier_type": _UNIT, "tiers": _TIERS},
)
_LAVAS_PERCENTAGE = _form(
    "Lava's percentage",
    ("rate_type", "tiers"),
    {
        "rate_type": {"const": "percentage"},
        "tier_type": {"description": "Of no effect.", "type": ["string", "null"]},
        "tiers": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "properties": {"start": {"enum": [0, "0"]}, "rate": _PERCENTAGE},
                "required": ["start", "rate"],
                "additionalProperties": False,
            },
        },
    },
)
_SHORT = _form(
    "percentage of cost, or none", (), {"percentage": {"anyOf": [_PERCENTAGE, {"type": "null"}]}}
)

METER = Body(
    {
        JSON: {
            "oneOf": [
                *(_of_kind(kind, names) for kind, names in TERMS_BY_KIND.items()),
                _SHORT,
                _LAVAS,
                _LAVAS_PERCENTAGE,
            ]
        }
    },
    "What the kind asks for; without one a percentage; or as Lava states it.",
)
