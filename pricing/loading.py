"""Rate files: YAML text to a rate table, or everything that is wrong with it."""

from typing import Any

import yaml

from pricing.problems import Problems, RateFileError, RateFileProblem, line_of, shown
from pricing.rate_table import ModelRates, RateTable
from pricing.stated_rate import read_rate
from pricing.table_header import header_parsers
from pricing.units import UNIT_BY_RATE_KEY
from pricing.yaml_tree import read_entries, read_tree

__all__ = ["RateFileError", "RateFileProblem", "load_rate_table"]

MODEL_LENGTH_MAX = 255

_MODELS = "models"
# Prices without a word on their source are poorer, not wrong.
_OPTIONAL = frozenset({"source"})


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
    known = (*parsers, _MODELS)
    entries = read_entries(root, "rate table", problems, known=known)
    for key in known:
        if key not in entries and key not in _OPTIONAL:
            problems.add(line_of(root), f"rate table: the key {key} is missing")
    # Any, because a field that could not be read holds nothing until the problems are raised.
    fields: dict[str, Any] = {"source": ""}
    for key, (_, node) in entries.items():
        if key == _MODELS:
            fields[key] = _read_models(node, problems)
        else:
            fields[key] = problems.attempt(key, node, parsers[key])
    problems.raise_if_any()
    return RateTable(**fields)


def _read_models(node: yaml.Node, problems: Problems) -> dict[str, ModelRates]:
    """Read the rates of every model."""
    if not isinstance(node, yaml.MappingNode) or not node.value:
        problems.add(line_of(node), "models: must be a mapping with at least one model")
        return {}
    models = {}
    for model, (key, rates) in read_entries(node, _MODELS, problems).items():
        if not 1 <= len(model) <= MODEL_LENGTH_MAX or "\0" in model:
            rule = f"1 to {MODEL_LENGTH_MAX} characters without NUL"
            problems.add(line_of(key), f"the model id {shown(model)} is not {rule}")
        models[model] = _read_model_rates(model, key, rates, problems)
    return models


def _read_model_rates(
    model: str, key: yaml.Node, node: yaml.Node, problems: Problems
) -> ModelRates:
    """Read the prices of one model."""
    what = shown(model)
    if not isinstance(node, yaml.MappingNode) or not node.value:
        problems.add(line_of(key), f'{what}: has no price; write {{input: "1.74", output: "3.48"}}')
        return ModelRates(rates={})
    rates = {}
    entries = read_entries(node, what, problems, known=UNIT_BY_RATE_KEY)
    for rate_key, (_, stated) in entries.items():
        unit = UNIT_BY_RATE_KEY[rate_key]
        rate = read_rate(unit, f"{what} {rate_key}", stated, problems)
        if rate is not None:
            rates[unit.value] = rate
    return ModelRates(rates=rates)
