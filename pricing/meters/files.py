"""Meter files: YAML text to meters, or everything that is wrong with it."""

import re
from typing import Any

import yaml

from pricing.files.problems import Problems, line_of, shown
from pricing.files.table_header import header_parsers
from pricing.files.yaml_tree import read_entries, read_tree
from pricing.meters.faults import Path
from pricing.meters.forms import read_meter_form
from pricing.meters.meter import Meter

_CURRENCY = "currency"
_METERS = "meters"
_KNOWN = (_CURRENCY, _METERS)
_TEXT_TAG = "tag:yaml.org,2002:str"
_WHOLE_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")

# What stands unquoted and is neither a word nor a whole number: an amount, a truth value, nothing.
# It is no value that a meter could have, so every reader refuses it with its own rule.
_UNQUOTED = object()


def load_meters(text: str, file: str, *, currency: str = "USD") -> list[Meter]:
    """Read meters from YAML text, in the order of the file, each as version 1.

    Args:
        text: The whole file.
        file: The name by which problems refer to it.
        currency: The ledger's currency, the only one that the rates may be in.

    Raises:
        RateFileError: Something is wrong. It holds every problem of the file with its line,
            except that text which is not one plain YAML document is not looked into further.
    """
    root = read_tree(text, file)
    problems = Problems(file)
    entries = read_entries(root, "meter file", problems, known=_KNOWN)
    for key in _KNOWN:
        if key not in entries:
            problems.add(line_of(root), f"meter file: the key {key} is missing")
    if _CURRENCY in entries:
        parse = header_parsers(currency)[_CURRENCY]
        problems.attempt(_CURRENCY, entries[_CURRENCY][1], parse)
    meters = _read_meters(*entries[_METERS], problems) if _METERS in entries else []
    problems.raise_if_any()
    return meters


def _read_meters(key: yaml.Node, node: yaml.Node, problems: Problems) -> list[Meter]:
    """Read every meter; those with a problem are left out."""
    if not isinstance(node, yaml.MappingNode) or not node.value:
        problems.add(line_of(key), "meters: must be a mapping with at least one meter")
        return []
    read = (
        _read_meter(slug, slug_node, stated, problems)
        for slug, (slug_node, stated) in read_entries(node, _METERS, problems).items()
    )
    return [meter for meter in read if meter is not None]


def _read_meter(slug: str, key: yaml.Node, node: yaml.Node, problems: Problems) -> Meter | None:
    """Read one meter; None when a problem was noted."""
    what = shown(slug)
    if not isinstance(node, yaml.MappingNode):
        problems.add(line_of(key), f"{what}: must be a mapping that begins with the kind")
        return None
    values = _Values(what, problems)
    values.lines[()] = line_of(key)
    meter = read_meter_form(slug, values.read_mapping(node, ()))
    if isinstance(meter, Meter):
        return meter
    for fault in meter:
        problems.add(values.line_of(fault.path), f"{what} {fault.field}: {fault.detail}")
    return None


class _Values:
    """The values of one meter as its form holds them, and the line of each."""

    def __init__(self, what: str, problems: Problems) -> None:
        self.lines: dict[Path, int] = {}
        self._what = what
        self._problems = problems

    def line_of(self, path: Path) -> int:
        """Give the line of a path, or of the nearest above it that stands in the file."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]

    def read_mapping(self, mapping: yaml.MappingNode, path: Path) -> dict[str, Any]:
        """Read a mapping; keys that are no text or stand twice are noted as problems."""
        values = {}
        for key, (key_node, node) in read_entries(mapping, self._what, self._problems).items():
            self.lines[(*path, key)] = line_of(key_node)
            values[key] = self._read(node, (*path, key))
        return values

    def _read(self, node: yaml.Node, path: Path) -> Any:
        """Read any node."""
        if isinstance(node, yaml.MappingNode):
            return self.read_mapping(node, path)
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        for index, item in enumerate(node.value):
            self.lines[(*path, index)] = line_of(item)
        return [self._read(item, (*path, index)) for index, item in enumerate(node.value)]


def _scalar(node: yaml.ScalarNode) -> Any:
    """Read a scalar: what is quoted, and a plain word, as text, a plain whole number as such."""
    if node.style or (node.value[:1].isalpha() and node.tag == _TEXT_TAG):
        return node.value
    if _WHOLE_NUMBER.fullmatch(node.value) is not None:
        return int(node.value)
    return _UNQUOTED
