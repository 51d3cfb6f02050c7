"""Points in the log: a cut is the last batch of every lane, written as `1-23.2-5`.

An answer's `as_of` is the time it was given at and the cut it was read at: `2026-11-20T12:00:00Z~1-23.2-5`.
The cut alone decides what is in the answer; the time is for people.
"""

import re
from collections.abc import Mapping
from datetime import datetime

import msgspec

from ledger.core.instants import format_instant, parse_instant_or_date

Cut = Mapping[int, int]  # the last batch of each lane; lanes that are not in it have none

_SEPARATOR = "~"
# Lanes are 1 to 1000, so that a month such as 2026-11 is no cut; batches begin at 1 and fit a bigint.
_PAIR = "(?:[1-9][0-9]{0,2}|1000)-[1-9][0-9]{0,17}"
_PAIRS = re.compile(rf"{_PAIR}(?:\.{_PAIR})*")
_RULE = "must be a time, a date, a cut such as 1-23.2-5, or the as_of of an answer"


class AsOf(msgspec.Struct, frozen=True):
    """A point in the log as somebody names it: by time, by cut, or by both, of which the cut counts."""

    at: datetime | None
    cut: Cut | None


def format_cut(cut: Cut) -> str:
    """Write a cut, lanes in their order; before the first batch it is empty."""
    return ".".join(f"{lane}-{cut[lane]}" for lane in sorted(cut))


def parse_cut(text: str) -> Cut:
    """Read what `format_cut` wrote.

    Raises:
        ValueError: not of that form, or a lane that is named twice.
    """
    if not text:
        return {}
    pairs = [pair.split("-") for pair in text.split(".")] if _PAIRS.fullmatch(text) else []
    cut = {int(lane): int(batch) for lane, batch in pairs}
    if not cut or len(cut) < len(pairs):
        raise ValueError(_RULE)
    return cut


def format_as_of(at: datetime, cut: Cut) -> str:
    """Write the point that an answer was read at."""
    return f"{format_instant(at)}{_SEPARATOR}{format_cut(cut)}"


def parse_as_of(text: str) -> AsOf:
    """Read a point in the log: `2026-11-20`, `2026-11-20T12:00:00Z`, `1-23.2-5`, or an answer's `as_of`.

    Raises:
        ValueError: none of them.
    """
    time_text, separator, cut_text = text.partition(_SEPARATOR)
    if not separator and _PAIRS.fullmatch(text):
        # A bare cut; `2026-11-20` is none, it has a dash too many.
        return AsOf(None, parse_cut(text))
    try:
        at = parse_instant_or_date(time_text)
    except ValueError:
        raise ValueError(_RULE) from None
    return AsOf(at, parse_cut(cut_text) if separator else None)


def is_reached(cut: Cut, last: Cut) -> bool:
    """Whether the log, whose lanes end at `last`, has every batch that a cut names."""
    return all(batch <= last.get(lane, 0) for lane, batch in cut.items())


def lanes_after(cut: Cut, last: Cut) -> Cut:
    """The lanes that go on after a cut in a log that ends at `last`: where each stood at the cut.

    A lane that began later stood at batch 0.
    """
    return {
        lane: cut.get(lane, 0) for lane, batch in sorted(last.items()) if batch > cut.get(lane, 0)
    }
