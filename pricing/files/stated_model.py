"""The prices of one model as a rate file states them: plain, by tiers, and for other combinations."""

import yaml

from pricing.files.problems import Problems, line_of, shown
from pricing.files.stated_rate import read_rate
from pricing.files.stated_tiers import END, START, read_bounds
from pricing.files.yaml_tree import read_entries, read_text
from pricing.model_rates import (
    BATCH_TIER,
    STANDARD,
    STANDARD_TIERS,
    Combination,
    ModelRates,
    RateTier,
)
from pricing.prices import RateSet
from pricing.units import UNIT_BY_RATE_KEY

WORD_LENGTH_MAX = 64

_TIERS, _VARIANTS, _WHEN = "tiers", "variants", "when"
_WHEN_KEYS = ("service_tier", "batch", "region", "accelerator")

Entries = dict[str, tuple[yaml.Node, yaml.Node]]
Tiers = tuple[RateTier, ...]


def read_model(what: str, key: yaml.Node, node: yaml.Node, problems: Problems) -> ModelRates:
    """Read the prices of one model; what is wrong is noted."""
    if not isinstance(node, yaml.MappingNode) or not node.value:
        problems.add(line_of(key), f'{what}: has no price; write {{input: "1.74", output: "3.48"}}')
        return ModelRates({})
    entries = read_entries(node, what, problems, known=(*UNIT_BY_RATE_KEY, _TIERS, _VARIANTS))
    variants = entries.pop(_VARIANTS, None)
    combinations = {}
    if entries or variants is None:
        combinations[STANDARD] = _read_prices(what, node, entries, problems)
    if variants is not None:
        _read_variants(what, variants[1], combinations, problems)
    return ModelRates(combinations)


def _read_prices(what: str, node: yaml.Node, entries: Entries, problems: Problems) -> Tiers:
    """Read prices, or tiers of them."""
    if _TIERS not in entries:
        return (RateTier(0, _read_rates(what, node, entries, problems)),)
    _, tiers = entries.pop(_TIERS)
    if entries:
        beside = ", ".join(entries)
        problems.add(
            line_of(node), f"{what}: {beside} must stand inside the tiers, not beside them"
        )
    return _read_tiers(what, tiers, problems)


def _read_rates(what: str, node: yaml.Node, entries: Entries, problems: Problems) -> RateSet:
    rates = {}
    for rate_key, (_, stated) in entries.items():
        unit = UNIT_BY_RATE_KEY[rate_key]
        rate = read_rate(unit, f"{what} {rate_key}", stated, problems)
        if rate is not None:
            rates[unit.value] = rate
    if not entries:
        problems.add(line_of(node), f"{what}: has no price")
    return RateSet(rates)


def _read_tiers(what: str, node: yaml.Node, problems: Problems) -> Tiers:
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        example = '[{start: 0, input: "1.25"}, {start: 200001, input: "2.50"}]'
        problems.add(line_of(node), f"{what}: tiers must be a list such as {example}")
        return ()
    what = f"{what} tiers"
    read = [
        (tier, _mapping_entries(tier, what, (START, END, *UNIT_BY_RATE_KEY), problems))
        for tier in node.value
    ]
    starts = read_bounds(read, what, problems)
    sets = []
    for tier, entries in read:
        prices = {name: entry for name, entry in entries.items() if name not in (START, END)}
        sets.append(_read_rates(what, tier, prices, problems))
    return tuple(map(RateTier, starts, sets)) if starts else ()


def _read_variants(
    what: str, node: yaml.Node, combinations: dict[Combination, Tiers], problems: Problems
) -> None:
    """Read the prices of other combinations into `combinations`."""
    what = f"{what} variants"
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        example = '[{when: {batch: true}, input: "0.87", output: "1.74"}]'
        problems.add(line_of(node), f"{what}: must be a list such as {example}")
        return
    for variant in node.value:
        known = (_WHEN, _TIERS, *UNIT_BY_RATE_KEY)
        entries = _mapping_entries(variant, what, known, problems)
        when = entries.pop(_WHEN, None)
        combination = None if when is None else _read_when(when[1], what, problems)
        if when is None:
            problems.add(line_of(variant), f"{what}: the key when is missing")
        prices = _read_prices(what, variant, entries, problems)
        if combination in combinations:
            problems.add(line_of(variant), f"{what}: the same combination stands twice")
        elif combination is not None:
            combinations[combination] = prices


def _read_when(node: yaml.Node, what: str, problems: Problems) -> Combination | None:
    """Read which combination prices are for; None when a problem was noted."""
    what = f"{what} when"
    entries = _mapping_entries(node, what, _WHEN_KEYS, problems)
    if not entries:
        keys = ", ".join(_WHEN_KEYS)
        problems.add(line_of(node), f"{what}: must state at least one of {keys}")
        return None
    texts = {
        key: problems.attempt(
            f"{what} {key}", value, _parse_tier if key == "service_tier" else _parse_text
        )
        for key, (_, value) in entries.items()
        if key != "batch"
    }
    is_batch = "batch" in entries
    if is_batch:
        texts["batch"] = problems.attempt(f"{what} batch", entries["batch"][1], _parse_true)
    if None in texts.values():
        return None
    return Combination(
        texts.get("service_tier"), is_batch, texts.get("region"), texts.get("accelerator")
    )


def _mapping_entries(
    node: yaml.Node, what: str, known: tuple[str, ...], problems: Problems
) -> Entries:
    if not isinstance(node, yaml.MappingNode):
        problems.add(line_of(node), f"{what}: must be a mapping")
        return {}
    return read_entries(node, what, problems, known=known)


def _parse_text(node: yaml.Node) -> str:
    text = read_text(node)
    if not 1 <= len(text) <= WORD_LENGTH_MAX or "\0" in text or text != text.strip():
        rule = f"1 to {WORD_LENGTH_MAX} characters without NUL and without blanks around them"
        raise ValueError(f"{shown(text)} is not {rule}")
    return text


def _parse_tier(node: yaml.Node) -> str:
    tier = _parse_text(node)
    if tier in STANDARD_TIERS:
        raise ValueError(f"{tier} is what prices outside variants are for")
    if tier == BATCH_TIER:
        raise ValueError("write batch: true")
    return tier


def _parse_true(node: yaml.Node) -> str:
    text = read_text(node)
    if text != "true":
        raise ValueError(f"{shown(text)} is not true; leave it out for calls outside batches")
    return text
