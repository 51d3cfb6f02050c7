"""Whatever a file says, an importer ends in drafts that load, or in words."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing.imports import IMPORTERS, SourceError, import_rates
from tests.unit.pricing.imports.price_list_texts import loaded, wanted

WORDS = (
    *("base", "batch", "constraint", "contains", "context_over_200k", "cost", "equals", "input"),
    *("input_cost_per_token", "input_cost_per_token_above_200k_tokens_batches", "input_mtok"),
    *("match", "mode", "models", "off_peak_pricing", "or", "output", "output_cost_per_image"),
    *("price", "price_variants", "prices", "pricing", "processing", "regex", "service_tier"),
    *("search_context_cost_per_query", "size", "start", "start_date", "starts_with", "text"),
    *("tier", "tiers", "tokens_1m", "type", "when", "", "\0", "2026-01-01", "0.5"),
)
NUMBERS = st.integers(-(10**25), 10**25) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from(WORDS) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=6)


def document(source: str, provider: str, model: str, fields: dict[str, Any]) -> Any:
    """Wrap the fields of a model so that the importer gets to them."""
    match source:
        case "genai-prices":
            entry = {"match": {"equals": model}, "prices": {}, **fields, "id": model}
            return [{"id": provider, "models": [entry]}]
        case "litellm":
            return {model: {**fields, "litellm_provider": provider}}
        case "models.dev":
            return {provider: {"models": {model: {"cost": fields, "experimental": fields}}}}
        case _:
            service = {
                "id": model,
                "provider": provider,
                "pricing": {"type": "tokens_1m", **fields},
            }
            return {"data": [service]}


@pytest.mark.parametrize("source", IMPORTERS)
@settings(max_examples=150)
@given(st.text(max_size=5), st.text(max_size=5), FIELDS)
def test_no_model_breaks_an_importer(
    source: str, provider: str, model: str, fields: dict[str, Any]
) -> None:
    """Every draft loads as a rate table under the name of its provider."""
    text = json.dumps(document(source, provider, model, fields))
    with contextlib.suppress(SourceError):
        imported = import_rates(source, text, wanted())
        for name, table in imported.tables.items():
            assert loaded(name, table).models


@pytest.mark.parametrize("source", IMPORTERS)
@settings(max_examples=100)
@given(VALUES)
def test_no_document_breaks_an_importer(source: str, value: Any) -> None:
    """What is no price list is refused."""
    with contextlib.suppress(SourceError):
        import_rates(source, json.dumps(value), wanted())
