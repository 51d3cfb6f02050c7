"""The head of a rate file: whose prices, which version, from when, in which currency."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import yaml

from pricing.files.problems import shown
from pricing.files.yaml_tree import read_text

NAME_LENGTH_MAX = 100

_PROVIDER = re.compile(rf"[a-z0-9._-]{{1,{NAME_LENGTH_MAX}}}")
# RFC 3339; datetime.fromisoformat alone also takes weeks, any separator, and no offset.
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)


def header_parsers(ledger_currency: str) -> dict[str, Callable[[yaml.Node], object]]:
    """Give a parser for each key of the head; every one raises ValueError saying the rule."""

    def parse_currency(node: yaml.Node) -> str:
        currency = read_text(node)
        if currency != ledger_currency:
            raise ValueError(f"{shown(currency)} is not {ledger_currency}, the ledger's currency")
        return currency

    return {
        "provider": parse_provider,
        "version": parse_version,
        "effective_from": parse_effective_from,
        "currency": parse_currency,
        "source": parse_source,
    }


def parse_provider(node: yaml.Node) -> str:
    """Read the name of a provider.

    Raises:
        ValueError: It is not 1 to 100 of `a-z 0-9 . _ -`.
    """
    provider = read_text(node)
    if _PROVIDER.fullmatch(provider) is None:
        raise ValueError(f"{shown(provider)} is not 1 to {NAME_LENGTH_MAX} of a-z 0-9 . _ -")
    return provider


def parse_version(node: yaml.Node) -> str:
    """Read the name of a version.

    Raises:
        ValueError: It is not 1 to 100 printable characters without spaces.
    """
    version = read_text(node)
    printable = version.isprintable() and " " not in version
    if not printable or not 1 <= len(version) <= NAME_LENGTH_MAX:
        raise ValueError(
            f"{shown(version)} is not 1 to {NAME_LENGTH_MAX} printable characters without spaces"
        )
    return version


def parse_effective_from(node: yaml.Node) -> datetime:
    """Read the instant from which the prices count, as UTC.

    Raises:
        ValueError: It is not a date and time with an offset (RFC 3339), or not on the calendar.
    """
    text = read_text(node)
    if _INSTANT.fullmatch(text) is None:
        raise ValueError(
            f"{shown(text)} is not a date and time with an offset such as 2026-05-12T00:00:00Z"
        )
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{shown(text)} is not on the calendar") from error


def parse_source(node: yaml.Node) -> str:
    """Read where the prices come from; how the words are broken into lines does not matter.

    Raises:
        ValueError: It says nothing, or has a NUL.
    """
    source = " ".join(read_text(node).split())
    if not source or "\0" in source:
        raise ValueError("must not be empty, and have no NUL")
    return source
