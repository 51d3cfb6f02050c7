"""Texts of others, as people may be shown them."""

import pytest

from ledger.core.visible import visible

SHOWN = [
    ("acme", "acme"),
    ("", ""),
    ("Zoë, 東京, עברית, 🧾", "Zoë, 東京, עברית, 🧾"),
    ("e\u0301", "e\u0301"),  # a combining character is seen
    ("👩\u200d💻", "👩\u200d💻"),  # what joins an emoji only joins
    ("a\u00a0b", "a\u00a0b"),
    ("\x1b[2J", "\\x1b[2J"),
    ("\x9b31m", "\\x9b31m"),
    ("a\nb\tc\rd\x00", "a\\nb\\tc\\rd\\x00"),
    ("acme\u202egpj", "acme\\u202egpj"),
    ("\u2066acme\u2069\u200f", "\\u2066acme\\u2069\\u200f"),
    ("acme\u200b\ufeff", "acme\\u200b\\ufeff"),
    ("a\u2028b\u2029", "a\\u2028b\\u2029"),
    ("half \ud800", "half \\ud800"),
]


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_what_cannot_be_seen_is_escaped_and_all_else_stays(text: str, shown: str) -> None:
    """Whatever the script; nothing moves a cursor or turns a line around."""
    assert visible(text) == shown


def test_line_breaks_stay_where_lines_are_wanted() -> None:
    """In a text of several lines; other control characters do not."""
    assert visible("a\n\x1bb\n", keep="\n") == "a\n\\x1bb\n"
