"""A draft as YAML text, laid out for people to review: sorted, a model a line where it fits."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pricing.imports.drafts import (
    PLAIN,
    DraftHead,
    DraftModel,
    DraftTable,
    DraftTier,
    Price,
    Prices,
    Tiers,
    When,
)
from pricing.imports.numbers import plain

WIDTH = 100

# What YAML reads back as the same text without quotes, whatever else it might mean to others.
_BARE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@+-]*")
_NULL = frozenset({"null", "Null", "NULL"})


class _Quoted(str):
    """Text that stands in double quotes wherever it stands, as prices must."""

    __slots__ = ()


def draft_text(provider: str, head: DraftHead, table: DraftTable) -> str:
    """Write a draft as the text of a rate file.

    Models and aliases are sorted; patterns keep their order, which is the order they are tried in.
    """
    lines = [f"# {line}".rstrip() for line in head.comments]
    lines += [
        f"provider: {_scalar(provider)}",
        f"version: {_scalar(_Quoted(head.version))}",
        f"effective_from: {head.effective_from.strftime('%Y-%m-%dT%H:%M:%SZ')}",
        f"currency: {head.currency}",
        "source: >-",
        *_wrapped(head.source),
        "models:",
    ]
    for model in sorted(table.models):
        lines += _entry(model, _model_node(table.models[model]), 2)
    if table.aliases:
        lines += ["aliases:", *_targets(dict(sorted(table.aliases.items())))]
    if table.fallback:
        lines += ["fallback:", *_targets(table.fallback)]
    return "\n".join(lines) + "\n"


def _model_node(model: DraftModel) -> dict[str, Any]:
    """The mapping that a model is, with texts in place of prices."""
    node = _tiers_node(model.combinations.get(PLAIN, ()))
    variants = [
        {"when": _when_node(when), **_tiers_node(tiers)}
        for when, tiers in model.combinations.items()
        if when != PLAIN
    ]
    return node | {"variants": variants} if variants else node


def _tiers_node(tiers: Tiers) -> dict[str, Any]:
    if len(tiers) == 1:
        return _prices_node(tiers[0].prices)
    return {"tiers": [_tier_node(tier) for tier in tiers]} if tiers else {}


def _tier_node(tier: DraftTier) -> dict[str, Any]:
    return {"start": str(tier.start), **_prices_node(tier.prices)}


def _prices_node(prices: Prices) -> dict[str, Any]:
    return {key: _price_node(price) for key, price in prices.items()}


def _price_node(price: Price) -> Any:
    amount = _Quoted(plain(price.amount))
    return {"price": amount, "per": price.per} if price.per else amount


def _when_node(when: When) -> dict[str, str]:
    return dict(when)


def _entry(key: str, node: Any, indent: int) -> Iterator[str]:
    """Write `key: node` on a line, or in a block where it does not fit or holds a list.

    A text stands on a line however long it is.
    """
    name = f"{' ' * indent}{_scalar(key)}:"
    if _is_flat(node) and (len(line := f"{name} {_flow(node)}") <= WIDTH or isinstance(node, str)):
        yield line
        return
    yield name
    if isinstance(node, list):
        for item in node:
            yield from _item(item, indent + 2)
    else:
        for inner_key, inner in node.items():
            yield from _entry(inner_key, inner, indent + 2)


def _item(node: dict[str, Any], indent: int) -> Iterator[str]:
    """Write an element of a list."""
    dash = f"{' ' * indent}- "
    if _is_flat(node) and len(line := dash + _flow(node)) <= WIDTH:
        yield line
        return
    lines = [line for key, inner in node.items() for line in _entry(key, inner, indent + 2)]
    yield dash + lines[0].lstrip()
    yield from lines[1:]


def _is_flat(node: Any) -> bool:
    """Whether no list is anywhere in it: those are easier to read as blocks."""
    return isinstance(node, str) or (isinstance(node, dict) and all(map(_is_flat, node.values())))


def _flow(node: Any) -> str:
    if isinstance(node, str):
        return _scalar(node)
    return "{" + ", ".join(f"{_scalar(key)}: {_flow(inner)}" for key, inner in node.items()) + "}"


def _targets(targets: Mapping[str, str]) -> Iterator[str]:
    for name, target in targets.items():
        yield f"  {_scalar(name)}: {_scalar(target)}"


def _scalar(text: str) -> str:
    """Quote text where it must be, or where it might read as something else."""
    if not isinstance(text, _Quoted) and _BARE.fullmatch(text) and text not in _NULL:
        return str(text)
    return json.dumps(text, ensure_ascii=False)


def _wrapped(text: str) -> Iterator[str]:
    """Break words into lines of a folded block."""
    line = " "
    for word in text.split():
        if len(line) + 1 + len(word) > WIDTH and line.strip():
            yield line
            line = " "
        line += f" {word}"
    yield line
