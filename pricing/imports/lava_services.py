"""Lava: the answer of its `GET /v1/services`, a list of models with their prices.

Prices are JSON numbers, USD per `pricing.type`; prices by modality stand in objects of their own.
There is no currency and no date. Source of the shape: Lava's documentation of the endpoint.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pricing.imports.assembly import MODEL, CannotList, Stated, draft_model
from pricing.imports.drafts import DraftModel, Imported, Report, SourceError, Wanted
from pricing.imports.exact_json import read_json
from pricing.imports.gathering import Gathering, imported, require_providers
from pricing.imports.provider_names import our_name

_EXPECTED = 'expected an object with "data", a list of services, each with its id and provider'
# By `type`: the rate key of each price and the word for `per` where it is not the unit's default.
_KEYS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "tokens_1m": {
        "input": ("input", ""),
        "output": ("output", ""),
        "cache_input_read": ("cached_input", ""),
        "cache_input_write": ("cache_write", ""),
    },
    "characters_1m": {
        "input": ("input_characters", ""),
        "output": ("output_characters", ""),
    },
    "minutes": {
        "input": ("audio_input", "minute"),
        "output": ("audio_output", "minute"),
    },
    "requests": {},
}
_BY_MODALITY = {
    "text": {"input": "input", "output": "output"},
    "audio": {"input": "audio_input_tokens", "output": "audio_output_tokens"},
    "image": {"input": "image_input_tokens", "output": "image_output_tokens"},
}
_PER_REQUEST = "cost_per_request"

Pricing = Mapping[str, Any]


def import_lava_services(text: str, wanted: Wanted) -> Imported:
    """Read the prices of the providers that are wanted.

    Raises:
        SourceError: The text is not of this shape, or lacks a provider that is wanted.
    """
    services = _services(text)
    providers = sorted({service["provider"] for service in services})
    require_providers(wanted, [(name, our_name(name)) for name in providers])
    gatherings: dict[str, Gathering] = {}
    for service in services:
        ours = our_name(service["provider"])
        if wanted.takes(service["provider"], ours):
            gathering = gatherings.setdefault(ours, Gathering(ours))
            draft = _draft(service, partial(gathering.leave_out, service["id"]))
            if draft is not None:
                gathering.add(service["id"], draft)
    return imported(gatherings)


def _services(text: str) -> list[dict[str, Any]]:
    data = read_json(text)
    services = data.get("data") if isinstance(data, dict) else None
    if not isinstance(services, list) or not services or not all(map(_is_service, services)):
        raise SourceError(_EXPECTED)
    return services


def _is_service(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("id"), str)
        and isinstance(value.get("provider"), str)
    )


def _draft(service: Mapping[str, Any], report: Report) -> DraftModel | None:
    if service.get("object", MODEL) != MODEL and service.get("service_type", MODEL) != MODEL:
        report(MODEL, "is a service and no model")
        return None
    pricing = service.get("pricing")
    if not isinstance(pricing, dict):
        report("pricing", "is not stated")
        return None
    try:
        return draft_model(list(_statements(pricing)), report)
    except CannotList as reason:
        report(reason.field, reason.reason)
        return None


def _statements(pricing: Pricing) -> Iterator[Stated]:
    kind = pricing.get("type")
    keys = _KEYS.get(kind) if isinstance(kind, str) else None
    if keys is None:
        raise CannotList("pricing.type", f"{kind!r} is no unit that a table knows"[:80])
    for name, value in pricing.items():
        if name == "type" or value is None:
            continue
        if name in keys:
            key, per = keys[name]
            yield Stated(f"pricing.{name}", key, value, per=per)
        elif name == _PER_REQUEST:
            if value:
                yield Stated(f"pricing.{name}", "request", value)
        elif kind == "tokens_1m" and name in _BY_MODALITY and isinstance(value, dict):
            yield from _modality(name, value)
        else:
            raise CannotList(f"pricing.{name}", "is a price that a table cannot hold")


def _modality(name: str, prices: Pricing) -> Iterator[Stated]:
    """Prices of text repeat those that stand outside, or contradict them, which is found later."""
    keys = _BY_MODALITY[name]
    for direction, value in prices.items():
        if direction not in keys:
            raise CannotList(f"pricing.{name}.{direction}", "is a price that a table cannot hold")
        if value is not None:
            yield Stated(f"pricing.{name}.{direction}", keys[direction], value)
