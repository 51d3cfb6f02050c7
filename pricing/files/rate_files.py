"""Rate files: YAML text to a rate table, or everything that is wrong with it."""

from typing import Any

import yaml

from pricing.files.problems import Problems, RateFileError, RateFileProblem, line_of, shown
from pricing.files.stated_model import read_model
from pricing.files.stated_names import check_model_id, read_aliases, read_fallback
from pricing.files.table_header import header_parsers
from pricing.files.yaml_tree import read_entries, read_tree
from pricing.model_rates import ModelRates
from pricing.rate_table import RateTable

__all__ = ["RateFileError", "RateFileProblem", "load_rate_table"]

_MODELS = "models"
_NAMES = {"aliases": read_aliases, "fallback": read_fallback}
# Prices without a word on their source are poorer, not wrong.
_OPTIONAL = frozenset({"source", *_NAMES})


def load_rate_table(text: str, file: str, *, currency: str = "USD") -> RateTable:
    """Read one version of a provider's prices from YAML text.

    Args:
        text: The whole file.
        file: The name by which problems refer to it.
        currency: The ledger's currency, the only one that the table may be in.

    Raises:
        RateFileError: Something is wrong. It holds every problem of the file with its line,
            except that text which is not one plain YAML document is not looked into further.
    """
    root = read_tree(text, file)
    problems = Problems(file)
    parsers = header_parsers(currency)
    known = (*parsers, _MODELS, *_NAMES)
    entries = read_entries(root, "rate table", problems, known=known)
    for key in known:
        if key not in entries and key not in _OPTIONAL:
            problems.add(line_of(root), f"rate table: the key {key} is missing")
    # Any, because a field that could not be read holds nothing until the problems are raised.
    fields: dict[str, Any] = {"source": "", _MODELS: {}}
    for key, (_, node) in entries.items():
        if key in parsers:
            fields[key] = problems.attempt(key, node, parsers[key])
    if _MODELS in entries:
        fields[_MODELS] = _read_models(entries[_MODELS][1], problems)
    for key, read in _NAMES.items():
        if key in entries:
            fields[key] = read(entries[key][1], frozenset(fields[_MODELS]), problems)
    problems.raise_if_any()
    return RateTable(**fields)


def _read_models(node: yaml.Node, problems: Problems) -> dict[str, ModelRates]:
    """Read the rates of every model."""
    if not isinstance(node, yaml.MappingNode) or not node.value:
        problems.add(line_of(node), "models: must be a mapping with at least one model")
        return {}
    models = {}
    for model, (key, rates) in read_entries(node, _MODELS, problems).items():
        check_model_id(model, key, problems)
        models[model] = read_model(shown(model), key, rates, problems)
    return models
