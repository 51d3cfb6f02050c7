"""Every rate table that comes with the product says whose prices it has, and has them in order."""

import re
from collections.abc import Iterator

import pytest

from pricing import STANDARD, Combination, RateSet, RateTable, load_rate_table, shipped_rate_files

FILES = dict(shipped_rate_files())
# Model ids whose price of 0 is known to be one, each with the reason.
FREE: dict[tuple[str, str], str] = {}
BATCH = Combination(is_batch=True)
PROVIDERS = {"anthropic", "deepseek", "fireworks", "google", "mistral", "openai"}
# Cached tokens, and what they would bill as without a price of their own.
CACHED = (
    ("cached_input_tokens", "input_tokens"),
    ("cached_audio_input_tokens", "audio_input_tokens"),
)


def table_of(file: str) -> RateTable:
    """Load a shipped file."""
    return load_rate_table(FILES[file], file)


def rate_sets_of(table: RateTable) -> Iterator[tuple[str, RateSet]]:
    """Give every set of prices with the model that it is for."""
    for model, rates in table.models.items():
        for tiers in rates.combinations.values():
            yield from ((model, tier.rates) for tier in tiers)


def test_the_providers_that_are_shipped() -> None:
    """A folder for each."""
    assert {file.partition("/")[0] for file in FILES} == PROVIDERS


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_named_for_its_table(file: str) -> None:
    """The folder is the provider, the name the version, and the version the day it counts from."""
    table = table_of(file)
    assert file == f"{table.provider}/{table.version}.yaml"
    assert table.effective_from.isoformat() == f"{table.version}T00:00:00+00:00"
    assert table.currency == "USD"


@pytest.mark.parametrize("file", FILES)
def test_a_table_names_its_source(file: str) -> None:
    """What was read, in which version and when; of the first two files only what is known."""
    source = table_of(file).source
    if file in ("fireworks/2025-01-01.yaml", "fireworks/2026-05-12.yaml"):
        assert "Assumed: the date" in source
    else:
        assert re.search(r"\b(genai-prices|litellm) [0-9]+\.[0-9]+\.[0-9]+\b", source)
        assert re.search(r"\bread 20[0-9]{2}-[0-9]{2}-[0-9]{2}\b", source)


@pytest.mark.parametrize("file", FILES)
def test_nothing_is_free_by_accident(file: str) -> None:
    """A price of 0 is a decision that stands in a list, with its reason."""
    table = table_of(file)
    free = {
        model
        for model, rates in rate_sets_of(table)
        if any(rate.price_pico == 0 for rate in rates.rates.values())
    }
    assert {(table.provider, model) for model in free} <= FREE.keys()


@pytest.mark.parametrize("file", FILES)
def test_cached_input_never_costs_more_than_input(file: str) -> None:
    """Where it would, the two were mixed up, or belong to different tiers."""
    for model, rates in rate_sets_of(table_of(file)):
        for cached, whole in CACHED:
            if cached in rates.rates:
                dearer = rates.rates[cached].price_pico > rates.rates[whole].price_pico
                assert not dearer, f"{model} {cached}"


@pytest.mark.parametrize("file", FILES)
def test_a_batch_never_costs_more_than_its_calls(file: str) -> None:
    """A batch is a discount; at Fireworks it is half of input and of output to the last digit."""
    table = table_of(file)
    for model, rates in table.models.items():
        plain, batch = (rates.combinations.get(key, ()) for key in (STANDARD, BATCH))
        for one, other in zip(plain, batch, strict=bool(batch)):
            for unit, rate in other.rates.rates.items():
                price, reduced = one.rates.rates[unit].price_pico, rate.price_pico
                assert reduced <= price, f"{model} {unit}"
                assert table.provider != "fireworks" or reduced * 2 == price, f"{model} {unit}"


def test_no_model_is_listed_by_two_providers() -> None:
    """A record without a provider gets the one that lists its model; two would leave it unrated."""
    listed: dict[str, set[str]] = {}
    for file in FILES:
        table = table_of(file)
        for name in (*table.models, *table.aliases):
            listed.setdefault(name, set()).add(table.provider)
    assert {name: where for name, where in listed.items() if len(where) > 1} == {}


def test_a_newer_fireworks_list_lacks_nothing_that_an_older_one_has() -> None:
    """But whisper-v3, whose only price is known to be wrong."""
    newest = table_of("fireworks/2026-11-20.yaml")
    older = {
        model
        for file in ("fireworks/2025-01-01.yaml", "fireworks/2026-05-12.yaml")
        for model in table_of(file).models
    }
    assert {model for model in older if not newest.lists(model)} == {"whisper-v3"}


@pytest.mark.parametrize(
    ("model", "bills_as"),
    [
        ("accounts/fireworks/models/llama-v3p1-70b-instruct", "base-over-16b"),
        ("accounts/acme/models/tuned-70b", "base-over-16b"),
        ("accounts/acme/models/tuned-8b-v2", "base-4b-to-16b"),
        ("accounts/acme/models/tuned-3b", "base-up-to-4b"),
        ("accounts/acme/models/mix-8x7b-it", "base-moe-up-to-56b"),
        ("accounts/acme/deployments/d1", "on-demand"),
        ("accounts/acme/models/tuned-8bit", None),
        ("accounts/acme/models/tuned", None),
        ("whisper-v3", None),
    ],
)
def test_only_ids_that_state_their_size_fall_back(model: str, bills_as: str | None) -> None:
    """Any other model that nobody listed is unrated."""
    found = table_of("fireworks/2026-11-20.yaml").find(model)
    assert (found.model if found else None) == bills_as
