"""One stated price of a rate file: a quoted text, or a mapping of `price` and `per`."""

from functools import partial

import yaml

from pricing.files.problems import Problems, line_of, shown
from pricing.files.yaml_tree import read_entries, read_text
from pricing.money import AMOUNT_PICO_MAX, parse_amount
from pricing.prices import Rate
from pricing.units import Unit

_KEYS = ("price", "per")
_QUOTES = frozenset({"'", '"'})


def read_rate(unit: Unit, what: str, node: yaml.Node, problems: Problems) -> Rate | None:
    """Read the price of a unit in either form.

    Returns:
        The rate, or None when a problem was noted.
    """
    if not isinstance(node, yaml.MappingNode):
        if unit.per_default is None:
            example = f'{{price: "0.20", per: {next(iter(unit.per_counts))}}}'
            problems.add(line_of(node), f"{what}: say what the price is for, such as {example}")
            return None
        per, price_node = unit.per_default, node
    else:
        entries = read_entries(node, what, problems, known=_KEYS)
        per_found = _read_per(unit, what, node, entries, problems)
        if "price" not in entries:
            problems.add(line_of(node), f"{what}: the key price is missing")
        if per_found is None or "price" not in entries:
            return None
        per, price_node = per_found, entries["price"][1]
    return problems.attempt(what, price_node, partial(parse_rate, unit, per))


def parse_rate(unit: Unit, per: str, node: yaml.Node) -> Rate:
    """Read a price for one of the words that the unit allows as `per`.

    Raises:
        ValueError: The price is no quoted plain decimal, is negative, is finer than an amount can
            hold, or makes one natural unit cost more than an amount can hold.
    """
    price_pico = _parse_price_pico(node)
    count = unit.per_counts[per]
    if unit.divides and price_pico % count:
        raise ValueError(
            f"{read_text(node)} per {per} is finer than an amount can hold: "
            "the price of one is not a whole number of 0.000000000001"
        )
    if price_pico > AMOUNT_PICO_MAX * count:
        raise ValueError(f"{read_text(node)} per {per} is more for one than an amount can hold")
    return Rate(price_pico=price_pico, per_quantity=count * unit.scale)


def _parse_price_pico(node: yaml.Node) -> int:
    """Read a quoted price that is not negative."""
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError('a price must be a quoted text such as "1.74"')  # noqa: TRY004 - in the file
    if node.style not in _QUOTES:
        raise ValueError(f'the price {shown(node.value)} must be quoted, such as "1.74"')
    if node.value.startswith("-"):
        raise ValueError(f"the price {shown(node.value)} is negative")
    return parse_amount(node.value)


def _read_per(
    unit: Unit,
    what: str,
    node: yaml.Node,
    entries: dict[str, tuple[yaml.Node, yaml.Node]],
    problems: Problems,
) -> str | None:
    """Read what the price is for; None when a problem was noted."""

    def parse(per_node: yaml.Node) -> str:
        per = read_text(per_node)
        if per not in unit.per_counts:
            raise ValueError(f"per {shown(per)} is not one of {', '.join(unit.per_counts)}")
        return per

    if "per" in entries:
        return problems.attempt(what, entries["per"][1], parse)
    if unit.per_default is None:
        words = ", ".join(unit.per_counts)
        problems.add(line_of(node), f"{what}: the key per is missing; it is one of {words}")
    return unit.per_default
