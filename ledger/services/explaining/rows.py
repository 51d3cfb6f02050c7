"""Rows of the log as the figures that explanations speak of."""

from collections.abc import Mapping
from typing import Any

import msgspec

from ledger.core import shown
from ledger.core.explanation import CACHED_INPUT, INPUT, OUTPUT
from pricing import Quantities

Row = Mapping[str, Any]
Amounts = Mapping[str, int | None]  # pico units by unit, and by OTHER and FEE; None while unrated

OTHER, FEE = "other", "fee"
_PARTS = ("input_pico", "cached_input_pico", "output_pico", "other_pico")


def quantities_of(row: Row) -> Quantities:
    """What a row states, as the statement that it repeats or takes back had it: never negative."""
    sign = -1 if row["requests"] < 0 else 1
    return Quantities(
        sign * row["uncached_input_tokens"],
        sign * row["cached_input_tokens"],
        sign * row["output_tokens"],
        {unit: sign * pair[0] for unit, pair in _units(row).items()} or None,
    )


def counts_of(row: Row) -> dict[str, int]:
    """What a row counts, signed: requests, and every quantity as it is stored."""
    names = ("requests", "unrated", "uncached_input_tokens", "cached_input_tokens", "output_tokens")
    return {
        **{name: row[name] for name in names},
        **{unit: pair[0] for unit, pair in _units(row).items()},
    }


def quantities_body(row: Row) -> dict[str, int | str]:
    """The quantities of a row as the interface names them: input tokens include cached ones."""
    return shown.quantities_body(
        row["uncached_input_tokens"],
        row["cached_input_tokens"],
        row["output_tokens"],
        {unit: pair[0] for unit, pair in _units(row).items()},
    )


def amounts_of(row: Row) -> Amounts:
    """The recorded amounts of a row, one by one."""
    return {
        INPUT: row["input_pico"],
        CACHED_INPUT: row["cached_input_pico"],
        OUTPUT: row["output_pico"],
        **{unit: pair[1] for unit, pair in sorted(_units(row).items())},
        OTHER: row["other_pico"],
        FEE: row["fee_pico"],
    }


def cost_of(row: Row) -> int | None:
    """The recorded cost of a row in pico units; None while unrated."""
    parts = [row[part] for part in _PARTS]
    return None if None in parts else sum(parts)


def spend_of(key_type: str | None, cost_pico: int, fee_pico: int) -> int:
    """What is owed for a cost and a fee, in pico units; a tiered fee has no type of key."""
    return fee_pico + (cost_pico if key_type == "managed" else 0)


def _units(row: Row) -> dict[str, list[Any]]:
    """`{unit: [quantity, amount or null]}` of a row."""
    units: dict[str, list[Any]] = msgspec.json.decode(row["other_units"] or "{}")
    return units
