"""What a row of usage.csv says, held against a statement, its quantities and its money."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from tests.naive import KEY_TYPES, read_time
from tests.naive_history import used
from tests.naive_prices import Quantities
from tests.soak_kills.evidence import Cells
from tests.soak_kills.memory import Record
from tests.soak_kills.published import Money, Publication, quantities_of

ZERO = Decimal(0)
COUNTED = ("input_tokens", "cached_input_tokens", "output_tokens")
SIGNED = ("requests", "unrated", *COUNTED, "cost", "fee", "spend")


class Wrong(Exception):
    """What a row says and must not."""


def says(cells: Cells, statement: Record) -> bool:
    """Whether a row is of a statement, money aside."""
    try:
        quantities = quantities_of(statement)
    except (ValueError, TypeError):
        return False
    metadata = json.loads(cells["metadata"] or "{}")
    return (
        holds(cells, quantities)
        and moment_of(cells) == read_time(statement["timestamp"])
        and (cells["provider"], cells["model"]) == (statement["provider"], statement["model"])
        and cells["key_type"] == KEY_TYPES[statement["provider_key_type"]]
        and metadata == statement.get("metadata", {})
    )


def holds(cells: Cells, quantities: Quantities) -> bool:
    """Whether a row is of these quantities; to state zero is to state nothing."""
    said: Mapping[str, int] = {name: int(cells[name]) for name in COUNTED}
    return used(said) == used(quantities)


def costs(cells: Cells, money: Money, version: Publication | None, statement: Record) -> bool:
    """Whether a row has exactly this money; without money it is unrated."""
    if money is None or version is None:
        return not cells["cost"] and not cells["fee"] and int(cells["unrated"]) == 1
    cost, fee = money
    is_managed = KEY_TYPES[statement["provider_key_type"]] == "managed"
    spend = fee + (cost if is_managed else ZERO)
    said = [number_of(cells[name]) for name in ("cost", "fee", "spend")]
    return said == [cost, fee, spend] and cells["rate_version"] == version.version


def require_negation(before: Cells, cells: Cells) -> None:
    """Each figure of a row must be that of the one before, with the other sign; what is unknown stays so."""
    for name in SIGNED:
        is_opposite = number_of(before[name]) == -number_of(cells[name])
        if not is_opposite or bool(before[name]) != bool(cells[name]):
            raise Wrong(f"{dict(cells)} does not negate {dict(before)}")


def number_of(text: str) -> Decimal:
    """The number of a cell, zero of an empty one."""
    return Decimal(text) if text else ZERO


def moment_of(cells: Cells) -> datetime:
    """When it happened."""
    return read_time(cells["timestamp"])
