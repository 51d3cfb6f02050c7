"""Aliases and what a table falls back on: read and followed, or every fault shown with its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.files.rate_files import RateFileError, load_rate_table
from pricing.rate_table import RateTable
from tests.naive_prices import fits

TEXT = """\
provider: fireworks
version: "1"
effective_from: 2026-05-12T00:00:00Z
currency: USD
models:
  small: {input: "1"}
  large: {input: "9"}
"""


def load(names: str) -> RateTable:
    """A table of two models, and names from line 8 on."""
    return load_rate_table(TEXT + names, "f.yaml")


def problems_of(names: str) -> list[str]:
    """Every problem as `line: message`."""
    with pytest.raises(RateFileError) as caught:
        load(names)
    return [f"{each.line}: {each.message}" for each in caught.value.problems]


def test_an_alias_is_followed_to_the_model_that_it_bills_as() -> None:
    """Also over other aliases, in whatever order they stand."""
    table = load("aliases:\n  newest: new\n  new: small\n  big: large\n")
    assert table.aliases == {"newest": "small", "new": "small", "big": "large"}
    assert all(table.lists(name) for name in ("small", "newest", "new", "big"))
    listing = table.find("newest")
    assert listing is not None
    assert (listing.model, listing.rates) == ("small", table.models["small"])


def test_a_model_of_its_own_goes_before_an_alias_and_that_before_a_pattern() -> None:
    """And the first pattern that fits before later ones; nothing is listed by a pattern."""
    table = load('aliases: {x-1: large}\nfallback: {"x-*": small, "*": large}\n')
    found = {name: table.find(name) for name in ("small", "x-1", "x-2", "y")}
    assert {name: listing and listing.model for name, listing in found.items()} == {
        "small": "small", "x-1": "large", "x-2": "small", "y": "large",
    }  # fmt: skip
    assert not table.lists("x-2")
    assert load("").find("y") is None


@pytest.mark.parametrize(
    ("pattern", "model", "is_found"),
    [
        ("a*", "a", True),
        ("a*", "b", False),
        ("*", "any/thing", True),
        ("*", "two\nlines", True),
        ("a*c", "abbc", True),
        ("a*c", "abbcd", False),
        ("*b*", "abc", True),
        ("a**c", "ac", True),
        ("a.c", "abc", False),  # nothing but the star is special
        ("a.*", "abc", False),
        ("[ab]", "a", False),
        ("a?", "ab", False),
        ("A*", "a", False),
        ("(a|b)*", "(a|b)c", True),
        ("a*a", "a", False),
        ("ab*ba", "aba", False),
        ("a*b*b", "ab", False),
        ("*-*-*-*-*-*-*-*-*-*-x", "-" * 255, False),  # and at once
        ("accounts/*/models/*-70b*", "accounts/me/models/llama-70b-instruct", True),
        ("accounts/*/models/*-70b*", "accounts/me/models/llama-7b", False),
    ],
)
def test_a_star_is_any_text_and_all_else_is_itself(
    pattern: str, model: str, *, is_found: bool
) -> None:
    """The whole id must fit."""
    table = load(f"fallback:\n  {pattern!r}: small\n")
    assert (table.find(model) is not None) is is_found


@given(st.text("ab*", min_size=1, max_size=8), st.text("ab", min_size=1, max_size=10))
def test_patterns_fit_as_the_second_model_says(pattern: str, model: str) -> None:
    """Which tries every way to cut the text."""
    table = load(f"fallback: {{{pattern!r}: small}}\n")
    assert (table.find(model) is not None) is fits(pattern, model)


def test_names_are_part_of_what_a_table_means() -> None:
    """Aliases in any order are the same; patterns are tried in theirs."""
    plain, named = load(""), load("aliases: {a: small, b: large}\n")
    assert plain.fingerprint == load("aliases: {}\nfallback: {}\n").fingerprint
    assert plain.fingerprint != named.fingerprint
    assert named.fingerprint == load("aliases: {b: large, a: small}\n").fingerprint
    one = load('fallback: {"a*": small, "*": large}\n')
    other = load('fallback: {"*": large, "a*": small}\n')
    assert one.fingerprint != other.fingerprint
    assert load("aliases: {a: small}\n").fingerprint != load("fallback: {a: small}\n").fingerprint


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ("aliases: {a: b, b: a}", "8: aliases: 'a' -> 'b' -> 'a' goes round in a circle"),
        ("aliases: {a: a}", "8: aliases: 'a' -> 'a' goes round in a circle"),
        (
            "aliases: {c: a, a: b, b: a}",
            "8: aliases: 'c' -> 'a' -> 'b' -> 'a' goes round in a circle",
        ),
        ("aliases:\n  small: large", "9: aliases: 'small' is listed as a model too"),
        ("aliases:\n  a:\n    nowhere", "10: aliases: 'nowhere' is not a model of this table"),
        ("aliases: {a: b, b: nowhere}", "8: aliases: 'nowhere' is not a model of this table"),
        ("aliases: {a: [small]}", "8: aliases 'a': must be text, not a list or a mapping"),
        ("aliases: {a: }", "8: aliases 'a': must not be empty"),
        ("aliases: {a: small, a: large}", "8: aliases: the key 'a' stands twice, first on line 8"),
        ("aliases: {[a]: small}", "8: aliases: a key must be text"),
        ("aliases: [a]", "8: aliases: must be a mapping to models of this table"),
        ("aliases: a", "8: aliases: must be a mapping to models of this table"),
        ("aliases:", "8: aliases: must be a mapping to models of this table"),
        ('aliases: {"": small}', "8: the model id '' is not 1 to 255 characters without NUL"),
        ('aliases: {"a\\0": small}', "8: the model id 'a\\x00' is not 1 to 255"),
        ("aliases:\n  ? " + "a" * 256 + "\n  : small", "9: the model id 'aaa"),
        ("fallback: {'*': nowhere}", "8: fallback: 'nowhere' is not a model of this table"),
        (
            "aliases: {a: small}\nfallback: {'*': a}",
            "9: fallback: 'a' is not a model of this table",
        ),
        ("fallback: {'*': [small]}", "8: fallback '*': must be text, not a list or a mapping"),
        ("fallback: [small]", "8: fallback: must be a mapping to models of this table"),
        ("fallback: small", "8: fallback: must be a mapping to models of this table"),
        ("fallback: {'*': small, '*': large}", "8: fallback: the key '*' stands twice"),
        ("fallback: {'': small}", "8: the model id '' is not 1 to 255 characters without NUL"),
        (
            "fallback: {" + ", ".join(f"a{n}: small" for n in range(101)) + "}",
            "8: fallback: has more than 100 patterns",
        ),
        ("aliases: {a: &x small}", "8: the anchor 'x' is refused"),
        ("alias: {a: small}", "8: rate table: unknown key 'alias'; known are provider,"),
        ("aliases: {}\naliases: {}", "9: rate table: the key 'aliases' stands twice"),
    ],
)
def test_each_fault_is_shown_with_its_line(names: str, problem: str) -> None:
    """Circles, names that lead nowhere, and what is no mapping of names."""
    assert any(each.startswith(problem) for each in problems_of(names)), problems_of(names)


def test_a_hundred_patterns_and_a_long_way_are_taken() -> None:
    """A hundred aliases that each lead to the next, and as many patterns as are allowed."""
    chain = ", ".join(f"a{n}: a{n + 1}" for n in range(100))
    patterns = ", ".join(f"p{n}*: small" for n in range(100))
    table = load(f"aliases: {{{chain}, a100: large}}\nfallback: {{{patterns}}}\n")
    assert set(table.aliases.values()) == {"large"}
    assert len(table.fallback) == 100


def test_a_long_circle_is_told_by_its_first_steps() -> None:
    """Three hundred names that lead round in a circle: the first hundred faults, and how many more."""
    circle = ", ".join(f"a{n}: a{(n + 1) % 300}" for n in range(300))
    found = problems_of(f"aliases: {{{circle}, out: a0}}")
    assert len(found) == 101
    steps = "'a0' -> 'a1' -> 'a2' -> 'a3' -> 'a4' -> 'a5' -> ..."
    assert found[0] == f"8: aliases: {steps} goes round in a circle"
    assert found[-1] == "8: and 201 more problems"


def test_faults_of_models_and_of_names_are_shown_together() -> None:
    """A name of a model that could not be read is not called unknown as well."""
    with pytest.raises(RateFileError) as caught:
        load_rate_table(TEXT.replace('"1"', "1") + "aliases: {a: small, b: none}\n", "f.yaml")
    assert [each.line for each in caught.value.problems] == [6, 8]
