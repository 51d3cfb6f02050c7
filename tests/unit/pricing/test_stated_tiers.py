"""The tiers of a file cover everything once, or it is said where they do not."""

import pytest

from pricing.files.rate_files import RateFileError, load_rate_table

HEAD = """\
provider: fireworks
version: "1"
effective_from: 2026-05-12T00:00:00Z
currency: USD
models:
  small:
    tiers:
"""


def text_of(*bounds: str) -> str:
    """A table whose only model has tiers, the first on line 8."""
    return HEAD + "".join(
        f'      - {{{each}{", " if each else ""}input: "1"}}\n' for each in bounds
    )


def starts_of(*bounds: str) -> list[int]:
    [tiers] = load_rate_table(text_of(*bounds), "f.yaml").models["small"].combinations.values()
    return [tier.start for tier in tiers]


@pytest.mark.parametrize(
    ("bounds", "starts"),
    [
        (["start: 0"], [0]),
        (["start: 0", "start: 1"], [0, 1]),
        (["start: 0, end: 10", "start: 10, end: 20", "start: 20"], [0, 10, 20]),
        (["start: 0, end: 10", "start: 10", "start: 20"], [0, 10, 20]),
        (['start: "0"', f"start: {10**15}"], [0, 10**15]),
        (["start: 00", "start: 007"], [0, 7]),
    ],
)
def test_tiers_that_follow_each_other_are_read(bounds: list[str], starts: list[int]) -> None:
    """An end may be left out; where it stands, it is the next start."""
    assert starts_of(*bounds) == starts


@pytest.mark.parametrize(
    ("bounds", "problems"),
    [
        (["start: 5"], ["8: the first tier must start at 0, not at 5"]),
        (["start: 1", "start: 10"], ["8: the first tier must start at 0, not at 1"]),
        (["start: 0", "start: 0"], ["9: a tier starts at 0, but the one before it at 0"]),
        (["start: 0", "start: 9", "start: 5"], ["10: a tier starts at 5, but the one before it at 9"]),
        (["start: 0, end: 10", "start: 11"], ["9: a gap: the tier before ends before 10, so write end: 11"]),
        (["start: 0, end: 10", "start: 9"], ["9: tiers overlap from 9 to 10"]),
        (["start: 0, end: 0", "start: 9"], ["9: a gap: the tier before ends before 0, so write end: 9"]),
        (["start: 0, end: 10"], ["8: the last tier must not have an end"]),
        (
            ["start: 0, end: 10", "start: 10, end: 20"],
            ["9: the last tier must not have an end"],
        ),
        (
            ["start: 3, end: 8", "start: 9, end: 12", "start: 11, end: 20"],
            ["8: the first tier must start at 0, not at 3",
             "9: a gap: the tier before ends before 8, so write end: 9",
             "10: tiers overlap from 11 to 12", "10: the last tier must not have an end"],
        ),
        (["start: 0", ""], ["9: the key start is missing in a tier"]),
        (["end: 5", "start: 5"], ["8: the key start is missing in a tier"]),
    ],
)  # fmt: skip
def test_tiers_that_do_not_cover_everything_once_are_refused(
    bounds: list[str], problems: list[str]
) -> None:
    """Each fault stands on the line of its tier."""
    assert problems_of(*bounds) == [each.replace(": ", ": 'small' tiers: ", 1) for each in problems]


@pytest.mark.parametrize(
    ("bound", "problem"),
    [
        ("-1", "'-1' is not a whole number such as 200000"),
        ("1.5", "'1.5' is not a whole number"),
        ("1e3", "'1e3' is not a whole number"),
        ("200_000", "'200_000' is not a whole number"),
        ("many", "'many' is not a whole number"),
        ("٣", "'٣' is not a whole number"),
        ("1" * 17, "'11111111111111111' is not a whole number"),
        (str(10**15 + 1), "'1000000000000001' is more than 1000000000000000"),
        ("[1]", "must be text, not a list or a mapping"),
        ("{a: b}", "must be text, not a list or a mapping"),
        ("", "must not be empty"),
    ],
)
@pytest.mark.parametrize("key", ["start", "end"])
def test_a_bound_is_a_whole_number(key: str, bound: str, problem: str) -> None:
    """With no second spelling, and small enough to be compared with any count."""
    first = f"start: {bound}" if key == "start" else f"start: 0, end: {bound}"
    [found] = problems_of(first, "start: 7")
    assert found.startswith(f"8: 'small' tiers {key}: {problem}")


def problems_of(*bounds: str) -> list[str]:
    """Every problem as `line: message`."""
    with pytest.raises(RateFileError) as caught:
        load_rate_table(text_of(*bounds), "f.yaml")
    return [f"{each.line}: {each.message}" for each in caught.value.problems]
