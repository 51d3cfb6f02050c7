"""Tiers of a file: where each begins, and that together they cover everything once."""

from collections.abc import Sequence

import yaml

from pricing.files.problems import Problems, line_of, shown
from pricing.files.yaml_tree import read_text

START, END = "start", "end"
BOUND_MAX = 10**15
_DIGITS_MAX = 16


def read_bounds(
    tiers: Sequence[tuple[yaml.Node, dict[str, tuple[yaml.Node, yaml.Node]]]],
    what: str,
    problems: Problems,
) -> list[int] | None:
    """Read where tiers begin, each given as its node and its entries.

    `end` may be left out; where it stands, it must be the start of the next tier.

    Returns:
        The starts, which rise from 0; None when a problem was noted.
    """
    bounds = []
    for node, entries in tiers:
        if START not in entries:
            problems.add(line_of(node), f"{what}: the key start is missing in a tier")
            return None
        pair = [
            problems.attempt(f"{what} {key}", entries[key][1], parse_bound)
            for key in (START, END)
            if key in entries
        ]
        if None in pair:
            return None
        bounds.append((pair[0] or 0, pair[1] if END in entries else None))
    faults = list(_bound_faults(bounds))
    for place, message in faults:
        problems.add(line_of(tiers[place][0]), f"{what}: {message}")
    return None if faults else [start for start, _ in bounds]


def parse_bound(node: yaml.Node) -> int:
    """Read a whole number that is not negative.

    Raises:
        ValueError: It is none, or larger than 10^15.
    """
    text = read_text(node)
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        raise ValueError(f"{shown(text)} is not a whole number such as 200000")
    if int(text) > BOUND_MAX:
        raise ValueError(f"{shown(text)} is more than {BOUND_MAX}")
    return int(text)


def _bound_faults(bounds: Sequence[tuple[int, int | None]]) -> list[tuple[int, str]]:
    """Find what is wrong with starts and ends, each with the place of its tier."""
    faults = []
    if bounds[0][0] != 0:
        faults.append((0, f"the first tier must start at 0, not at {bounds[0][0]}"))
    for place in range(1, len(bounds)):
        start, (before, before_end) = bounds[place][0], bounds[place - 1]
        if start <= before:
            faults.append((place, f"a tier starts at {start}, but the one before it at {before}"))
        elif before_end is not None and before_end < start:
            faults.append(
                (place, f"a gap: the tier before ends before {before_end}, so write end: {start}")
            )
        elif before_end is not None and before_end > start:
            faults.append((place, f"tiers overlap from {start} to {before_end}"))
    if bounds[-1][1] is not None:
        faults.append((len(bounds) - 1, "the last tier must not have an end"))
    return faults
