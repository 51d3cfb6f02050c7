"""The tiers of a meter: where each starts and what it charges."""

from collections.abc import Iterator, Sequence
from functools import cached_property

from msgspec import Struct

from pricing.files.problems import shown
from pricing.money import AMOUNT_PICO_MAX, format_amount, parse_amount

# Exact in every reader of JSON, and with any scale far inside what arithmetic is quick on.
COUNT_MAX = 10**15
TIERS_MAX = 100


class MeterTier(Struct, frozen=True, dict=True):
    """One step of a fee schedule; it reaches up to where the next one starts.

    Attributes:
        start: The first of what the meter counts that belongs to the tier: tokens, characters,
            seconds (for minutes) or requests that lie below it are not in it.
        rate: The price as plain decimal text, such as `5.00`, for what the unit says or, in a
            meter of kind `package`, for one package.

    Raises:
        ValueError: The start or the rate is outside its rule.
    """

    start: int
    rate: str

    def __post_init__(self) -> None:
        """Refuse a tier that could not be applied."""
        check_count("start", self.start, least=0)
        _ = self.rate_pico

    @cached_property
    def rate_pico(self) -> int:
        """The rate in pico. Read only once."""
        return parse_rate_pico(self.rate)


def parse_rate_pico(text: str) -> int:
    """Read the rate of a meter as pico, without any loss.

    Raises:
        ValueError: It is no plain decimal of at most 12 places, negative, or more than an amount
            can hold.
    """
    if text.startswith("-"):
        raise ValueError(f"the rate {shown(text)} is negative")
    rate_pico = parse_amount(text)
    if rate_pico > AMOUNT_PICO_MAX:
        limit = format_amount(AMOUNT_PICO_MAX)
        raise ValueError(f"the rate {shown(text)} is more than an amount can hold, {limit}")
    return rate_pico


def check_count(what: str, count: int, *, least: int) -> int:
    """Return a tier start or a package size unchanged when it is within bounds.

    Raises:
        ValueError: It is below `least` or above `COUNT_MAX`.
    """
    if not least <= count <= COUNT_MAX:
        raise ValueError(f"a {what} must be a whole number from {least} to {COUNT_MAX}")
    return count


def start_faults(
    starts: Sequence[int | None], package_size: int | None
) -> Iterator[tuple[int, str]]:
    """Find where tiers do not follow one another from 0 up without a gap or an overlap.

    Args:
        starts: Where each tier starts; None for one that could not be read, which is passed over.
        package_size: The size that every start must be a multiple of, if there is one.

    Yields:
        The index of a tier and what is wrong with its start.
    """
    before: int | None = None
    for index, start in enumerate(starts):
        if start is not None:
            if index == 0 and start != 0:
                yield index, f"the first tier must start at 0, not at {start}"
            if before is not None and start <= before:
                yield index, f"starts must ascend: {start} is not above {before}, so tiers overlap"
            if package_size is not None and start % package_size:
                yield index, f"{start} is not a multiple of the package size {package_size}"
        before = start


def end_fault(end: int | None, later_starts: Sequence[int | None]) -> str | None:
    """Say what is wrong with the stated end of a tier, if anything is.

    Args:
        end: The first count above the tier, as somebody wrote it; None when nobody did.
        later_starts: Where the tiers after it start; None for one that could not be read.
    """
    if end is None:
        return None
    if not later_starts:
        return "the last tier is open: leave its end out, or add the tier that starts there"
    start = later_starts[0]
    if start is None or start == end:
        return None
    wrong = "overlaps" if end > start else "leaves a gap before"
    return f"the end {end} {wrong} the next tier, which starts at {start}"
