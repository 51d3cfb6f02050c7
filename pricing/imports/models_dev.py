"""models.dev: its `api.json`, an object of providers with models.

Prices are JSON numbers in USD per million tokens. Tiers hold from more than `size` tokens on;
`context_over_200k` repeats the last one for old readers, whatever its bound. There are no dates.
Source of the shape: `packages/core/src/schema.ts` and `generate.ts` of models.dev, 2026-07-02.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pricing.imports.assembly import CannotList, Stated, draft_model
from pricing.imports.drafts import (
    NO_TIER,
    PLAIN,
    DraftModel,
    Imported,
    Report,
    SourceError,
    Wanted,
    When,
    called_in_tier,
    tier_after,
)
from pricing.imports.exact_json import read_json
from pricing.imports.gathering import Gathering, imported, require_providers
from pricing.imports.provider_names import our_name

_EXPECTED = "expected an object of providers, each with its models, as in api.json"
_KEYS = {
    "input": "input",
    "output": "output",
    "reasoning": "reasoning",
    "cache_read": "cached_input",
    "cache_write": "cache_write",
    "input_audio": "audio_input_tokens",
    "output_audio": "audio_output_tokens",
}
_TIERS, _OVER_200K = "tiers", "context_over_200k"
_OVER_200K_TOKENS = 200_000
_SIZE_MAX = 10**12
_KINDS: tuple[dict[str, str], ...] = ({}, {"type": "context"})

Cost = Mapping[str, Any]


def import_models_dev(text: str, wanted: Wanted) -> Imported:
    """Read the prices of the providers that are wanted.

    Raises:
        SourceError: The text is not of this shape, or lacks a provider that is wanted.
    """
    providers = _providers(text)
    require_providers(wanted, [(name, our_name(name)) for name in providers])
    gatherings: dict[str, Gathering] = {}
    for name, models in providers.items():
        ours = our_name(name)
        if not wanted.takes(name, ours):
            continue
        gathering = gatherings.setdefault(ours, Gathering(ours))
        for model, entry in models.items():
            draft = _draft(entry, partial(gathering.leave_out, model))
            if draft is not None:
                gathering.add(model, draft)
    return imported(gatherings)


def _providers(text: str) -> dict[str, dict[str, Any]]:
    data = read_json(text)
    if not isinstance(data, dict) or not data:
        raise SourceError(_EXPECTED)
    providers = {}
    for name, provider in data.items():
        models = provider.get("models") if isinstance(provider, dict) else None
        if not isinstance(models, dict) or not all(
            isinstance(each, dict) for each in models.values()
        ):
            raise SourceError(_EXPECTED)
        providers[name] = models
    return providers


def _draft(entry: Mapping[str, Any], report: Report) -> DraftModel | None:
    cost = entry.get("cost")
    if not isinstance(cost, dict):
        report("cost", "is not stated")
        return None
    try:
        return draft_model([*_statements(cost, PLAIN), *_modes(entry, report)], report)
    except CannotList as reason:
        report(reason.field, reason.reason)
        return None


def _statements(cost: Cost, when: When) -> Iterator[Stated]:
    """State the prices of one combination, with its tiers."""
    tiers, over = cost.get(_TIERS), cost.get(_OVER_200K)
    plain = {name: value for name, value in cost.items() if name not in (_TIERS, _OVER_200K)}
    yield from _prices(plain, 0, when)
    if isinstance(tiers, list) and tiers:
        for tier in tiers:
            yield from _tier(tier, when)
    elif isinstance(over, dict):
        yield from _prices(over, tier_after(_OVER_200K_TOKENS), when)
    elif tiers or over is not None:
        raise CannotList(_TIERS, "are of an unknown shape")


def _tier(tier: Any, when: When) -> Iterator[Stated]:
    bound = tier.get("tier") if isinstance(tier, dict) else None
    match bound:
        case {"size": int() as size, **kind} if 0 < size <= _SIZE_MAX and kind in _KINDS:
            prices = {name: value for name, value in tier.items() if name != "tier"}
            yield from _prices(prices, tier_after(size), when)
        case _:
            raise CannotList(_TIERS, "have a bound that is no number of input tokens")


def _prices(cost: Cost, start: int, when: When) -> Iterator[Stated]:
    for name, value in cost.items():
        if name not in _KEYS:
            raise CannotList(name, "is a price that a table cannot hold")
        # The same as output says nothing more than output does.
        if name != "reasoning" or value != cost.get("output"):
            yield Stated(name, _KEYS[name], value, start=start, when=when)


def _modes(entry: Mapping[str, Any], report: Report) -> Iterator[Stated]:
    """State the prices of modes that a request asks for by its tier or its speed."""
    match entry:
        case {"experimental": {"modes": dict() as modes}}:
            for name, mode in modes.items():
                yield from _mode(f"mode {name}", mode, report)


def _mode(field: str, mode: Any, report: Report) -> Iterator[Stated]:
    match mode:
        case {
            "cost": dict() as cost,
            "provider": {"body": {"service_tier": str() as tier} | {"speed": str() as tier}},
        }:
            when = called_in_tier(tier)
            if when is None:
                report(field, NO_TIER)
            else:
                yield from _statements(cost, when)
        case {"cost": _}:
            report(field, "depends on what a record does not state")
