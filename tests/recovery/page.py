"""The commands of docs/backup.md, so that what is tried is what is written there."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "backup.md"
# What stands for a place or a time on the page; who runs a command puts something else there.
BACKUP, RESTORED, LOST = "/backup", "/restored", "/lost"
TARGET = "2026-11-21 14:30:00+00"
_SECTION = re.compile(r"^##+ (.+)\n", re.MULTILINE)
_LEDGER = re.compile(r"^(?:\w+=\S+ )?ledger (.+)$", re.MULTILINE)
_INDENT = "    "
_tried: set[str] = set()


def script(heading: str, places: Mapping[str, str]) -> str:
    """The shell script of a section, with what is said in `places` put where the page has examples.

    Raises:
        KeyError: the page has no such section, or the section no such example.
    """
    text = _sections()[heading]
    _tried.add(heading)
    for example, place in places.items():
        if example not in text:
            raise KeyError(f"{heading}: {example}")
        text = text.replace(example, place)
    return text


def ledger_commands(heading: str) -> list[list[str]]:
    """The words after `ledger` of each of its commands in a section."""
    return [words.split() for words in _LEDGER.findall(script(heading, {}))]


def untried() -> set[str]:
    """Sections with commands that nobody has asked for."""
    return {heading for heading, text in _sections().items() if text} - _tried


@cache
def _sections() -> dict[str, str]:
    """What is indented in each section, by its heading."""
    _, *pairs = _SECTION.split(PAGE.read_text())
    return {
        heading: "".join(
            line.removeprefix(_INDENT)
            for line in text.splitlines(keepends=True)
            if line.startswith(_INDENT)
        )
        for heading, text in zip(pairs[::2], pairs[1::2], strict=True)
    }
