"""The tiers of a stated meter."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from pricing.meters.faults import MeterFaults, Path, present
from pricing.meters.tiers import (
    TIERS_MAX,
    MeterTier,
    check_count,
    end_fault,
    parse_rate_pico,
    start_faults,
)

_DIGITS = re.compile(r"0|[1-9][0-9]{0,15}")


class _StatedTier(Struct, frozen=True):
    """What could be read of a tier; None for what could not."""

    start: int | None = None
    rate: str | None = None
    end: int | None = None


def read_tiers(
    stated: object, package_size: int | None, faults: MeterFaults
) -> tuple[MeterTier, ...]:
    """Read the tiers of a meter; one that could not be read is left out, and its faults noted."""
    if not isinstance(stated, list) or not 1 <= len(stated) <= TIERS_MAX:
        rule = f'must be a list of 1 to {TIERS_MAX} tiers such as {{start: 0, rate: "5.00"}}'
        faults.add(("tiers",), "invalid_tiers", rule)
        return ()
    read = [_read_tier(("tiers", index), tier, faults) for index, tier in enumerate(stated)]
    starts = [tier.start for tier in read]
    for index, fault in start_faults(starts, package_size):
        faults.add(("tiers", index, "start"), "invalid_start", fault)
    for index, tier in enumerate(read):
        if (fault_of_end := end_fault(tier.end, starts[index + 1 :])) is not None:
            faults.add(("tiers", index, "end"), "invalid_end", fault_of_end)
    return tuple(
        MeterTier(tier.start, tier.rate)
        for tier in read
        if tier.start is not None and tier.rate is not None
    )


def read_count(what: str, stated: object, *, least: int) -> int:
    """Read a number of what a meter counts, from a whole number or from text of digits.

    Raises:
        ValueError: It is neither, below `least` or above `COUNT_MAX`.
    """
    count = least - 1
    if isinstance(stated, str) and _DIGITS.fullmatch(stated) is not None:
        count = int(stated)
    elif isinstance(stated, int) and not isinstance(stated, bool):
        count = stated
    return check_count(what, count, least=least)


def read_rate_text(stated: object) -> str:
    """Read a rate as the text that it is.

    Raises:
        ValueError: It is no text, or not a rate.
    """
    rate = read_quoted("rate", "5.00", stated)
    parse_rate_pico(rate)
    return rate


def read_quoted(what: str, example: str, stated: object) -> str:
    """Read what must be text so that no digit of it is lost.

    Raises:
        ValueError: It is no text.
    """
    if not isinstance(stated, str):
        raise ValueError(f'the {what} must be quoted text, such as "{example}"')  # noqa: TRY004 - in the form
    return stated


def _read_tier(path: Path, stated: object, faults: MeterFaults) -> _StatedTier:
    """Read one tier, with every fault noted."""
    if not isinstance(stated, dict):
        faults.add(path, "wrong_type", 'a tier must be a mapping such as {start: 0, rate: "5.00"}')
        return _StatedTier()
    tier = present(stated)
    faults.refuse_others(path, "a tier", tier, _PARSERS)
    for key in _REQUIRED:
        if key not in tier:
            faults.add((*path, key), "missing", f"a tier must state its {key}")
    read = {
        key: faults.attempt((*path, key), f"invalid_{key}", parse, tier[key])
        for key, parse in _PARSERS.items()
        if key in tier
    }
    return _StatedTier(**read)


_REQUIRED = ("start", "rate")
_PARSERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "start": partial(read_count, "start", least=0),
        "rate": read_rate_text,
        "end": partial(read_count, "end", least=0),
    }
)
