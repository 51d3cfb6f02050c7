"""The names under which a rate file lists models: their ids, aliases, and patterns to fall back on."""

from collections.abc import Mapping

import yaml

from pricing.files.problems import Problems, line_of, shown
from pricing.files.yaml_tree import read_entries, read_text

MODEL_LENGTH_MAX = 255
PATTERNS_MAX = 100
STEPS_SHOWN_MAX = 5


def check_model_id(model: str, key: yaml.Node, problems: Problems) -> None:
    """Note an id that no record could state."""
    if not 1 <= len(model) <= MODEL_LENGTH_MAX or "\0" in model:
        rule = f"1 to {MODEL_LENGTH_MAX} characters without NUL"
        problems.add(line_of(key), f"the model id {shown(model)} is not {rule}")


def read_aliases(node: yaml.Node, models: frozenset[str], problems: Problems) -> dict[str, str]:
    """Read other ids of listed models, each followed to the model that it bills as.

    An alias may name another alias. A circle of them, an alias that is listed as a model, and one that
    leads nowhere are noted.
    """
    stated = _read_targets(node, "aliases", problems)
    steps = {alias: target for alias, (_, target, _) in stated.items() if alias not in models}
    ends = _ends(steps)
    aliases = {}
    for alias, (key, _, line) in stated.items():
        check_model_id(alias, key, problems)
        if alias in models:
            problems.add(line_of(key), f"aliases: {shown(alias)} is listed as a model too")
        elif ends[alias] is None:
            problems.add(line_of(key), f"aliases: {_way(alias, steps)} goes round in a circle")
        elif ends[alias] not in models:
            problems.add(line, f"aliases: {shown(str(ends[alias]))} is not a model of this table")
        else:
            aliases[alias] = str(ends[alias])
    return aliases


def read_fallback(node: yaml.Node, models: frozenset[str], problems: Problems) -> dict[str, str]:
    """Read which prices count for ids that are not listed, by patterns in which `*` is any text."""
    stated = _read_targets(node, "fallback", problems)
    if len(stated) > PATTERNS_MAX:
        problems.add(line_of(node), f"fallback: has more than {PATTERNS_MAX} patterns")
    for pattern, (key, target, line) in stated.items():
        check_model_id(pattern, key, problems)
        if target not in models:
            problems.add(line, f"fallback: {shown(target)} is not a model of this table")
    return {pattern: target for pattern, (_, target, _) in stated.items()}


def _ends(steps: Mapping[str, str]) -> dict[str, str | None]:
    """Where each alias leads in the end; None for one that leads round in a circle."""
    ends: dict[str, str | None] = {}
    for alias in steps:
        way: dict[str, None] = {}
        at = alias
        while at in steps and at not in ends and at not in way:
            way[at] = None
            at = steps[at]
        end = None if at in way else ends.get(at, at)
        ends.update(dict.fromkeys(way, end))
    return ends


def _way(alias: str, steps: Mapping[str, str]) -> str:
    """The first steps from an alias on, for a message."""
    way = [alias]
    while len(way) <= STEPS_SHOWN_MAX and way[-1] not in way[:-1]:
        way.append(steps[way[-1]])
    ellipsis = "" if way[-1] in way[:-1] else " -> ..."
    return " -> ".join(map(shown, way)) + ellipsis


def _read_targets(
    node: yaml.Node, what: str, problems: Problems
) -> dict[str, tuple[yaml.Node, str, int]]:
    """Read a mapping of names to models: each with its key, its target and the line of that."""
    if not isinstance(node, yaml.MappingNode):
        problems.add(line_of(node), f"{what}: must be a mapping to models of this table")
        return {}
    targets = {}
    for name, (key, value) in read_entries(node, what, problems).items():
        target = problems.attempt(f"{what} {shown(name)}", value, read_text)
        if target is not None:
            targets[name] = (key, target, line_of(value))
    return targets
