"""Every rate table that comes with the product says whose prices it has, and has them in order."""

import re
from collections.abc import Iterator

import pytest

from pricing import (
    STANDARD,
    Combination,
    Quantities,
    RateSet,
    RateTable,
    load_rate_table,
    shipped_rate_files,
)
from pricing import rate as rate_usage

FILES = dict(shipped_rate_files())
# Model ids whose price of 0 is known to be one, each with the reason.
FREE: dict[tuple[str, str], str] = {}
BATCH = Combination(is_batch=True)
NO_CHAT = re.compile(
    r"ada|babbage.*|curie|davinci.*|text-.*|.*-instruct|.*-realtime-preview|.*-transcribe"
)
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
    """A batch is a discount; at Fireworks it is half of input and of output to the last digit.

    Of its cached tokens nothing is stated there: they cost what they do outside of a batch.
    """
    table = table_of(file)
    for model, rates in table.models.items():
        plain, batch = (rates.combinations.get(key, ()) for key in (STANDARD, BATCH))
        for one, other in zip(plain, batch, strict=bool(batch)):
            for unit, rate in other.rates.rates.items():
                price, reduced = one.rates.rates[unit].price_pico, rate.price_pico
                assert reduced <= price, f"{model} {unit}"
                is_half = reduced * 2 == price or unit == "cached_input_tokens"
                assert table.provider != "fireworks" or is_half, f"{model} {unit}"


def test_cached_tokens_of_a_fireworks_batch_have_a_row() -> None:
    """The lower of their price outside of a batch and the batch's input; never that input in silence."""
    models = table_of("fireworks/2026-11-20.yaml").models
    found = 0
    for model, rates in models.items():
        plain = [tier.rates.rates for tier in rates.combinations.get(STANDARD, ())]
        for tier in rates.combinations.get(BATCH, ()):
            cached, batch = plain[0].get("cached_input_tokens"), tier.rates.rates
            if cached is not None:
                found += 1
                expected = min(cached.price_pico, batch["input_tokens"].price_pico)
                assert batch["cached_input_tokens"].price_pico == expected, model
    assert found == 33
    flash = models["accounts/fireworks/models/deepseek-v4p1-flash"].combinations[BATCH][0].rates
    assert flash.rates["cached_input_tokens"].price_pico == 6_000_000_000


@pytest.mark.parametrize(
    ("file", "model", "quantities"),
    [
        ("openai/2026-11-20.yaml", "gpt-4o", {"cache_write_tokens": 1_024}),
        ("openai/2026-11-20.yaml", "gpt-4o-2024-08-06", {"cache_write_tokens": 1_024}),
        ("google/2026-11-20.yaml", "gemini-2.5-pro", {"audio_input_tokens": 50}),
        ("google/2026-12-01.yaml", "gemini-2.5-pro", {"cached_audio_input_tokens": 50}),
        ("google/2027-01-01.yaml", "gemini-3.8-flash", {"audio_input_tokens": 50}),
        ("google/2026-11-20.yaml", "gemini-2.5-flash-preview-tts", {"audio_output_tokens": 50}),
    ],
)
@pytest.mark.parametrize("called", [STANDARD, BATCH])
def test_what_usage_tells_apart_has_a_price(
    file: str, model: str, quantities: dict[str, int], called: Combination
) -> None:
    """Where the source bills it as input or output, it costs as much here."""
    found = table_of(file).find(model)
    assert found is not None
    ((part, count),) = quantities.items()
    whole = {
        "audio_output_tokens": "output_tokens",
        "cached_audio_input_tokens": "cached_input_tokens",
    }
    usage = Quantities(1_000, 0, 10, quantities)
    rates = found.rates.rates_for(called, usage)
    assert rates is not None
    costs = rate_usage(usage, rates)
    assert costs is not None
    expected = rates.rates[whole.get(part, "input_tokens")].cost_pico(count)
    assert (costs.other_pico or {})[part] == expected > 0


def test_cache_writes_of_all_openai_chats_have_a_price() -> None:
    """Any of them may state some; completions, transcriptions and realtime sessions do not."""
    for model, rates in rate_sets_of(table_of("openai/2026-11-20.yaml")):
        if {"input_tokens", "output_tokens"} <= rates.rates.keys() and not NO_CHAT.fullmatch(model):
            write, whole = rates.rates["cache_write_tokens"], rates.rates["input_tokens"]
            assert write.price_pico >= whole.price_pico, model


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
