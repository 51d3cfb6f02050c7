"""The price lists that come with the package."""

from datetime import UTC, datetime

from pricing.files.rate_files import load_rate_table
from pricing.files.shipped import shipped_rate_files

PREFIX = "accounts/fireworks/models/"
# USD per 1M input and output tokens.
TUTORIAL_PRICES = {
    "llama-v3p3-70b-instruct": ("0.90", "0.90"),
    "llama-v3p1-405b-instruct": ("3.00", "3.00"),
    "deepseek-v3": ("0.90", "0.90"),
    "mixtral-8x22b-instruct": ("0.90", "0.90"),
    "firefunction-v2": ("0.90", "0.90"),
}
GATEWAY_PRICES = {
    "deepseek-v4-pro": ("1.74", "3.48"),
    "glm-5p1": ("1.40", "4.40"),
    "mixtral-8x22b-instruct": ("1.20", "1.20"),
    "glm-5": ("1.00", "3.20"),
    "kimi-k2p5-turbo": ("0.99", "4.94"),
    "kimi-k2p6": ("0.95", "4.00"),
    "llama-v3p3-70b-instruct": ("0.90", "0.90"),
    "kimi-k2-instruct": ("0.60", "2.50"),
    "kimi-k2-thinking": ("0.60", "2.50"),
    "kimi-k2p5": ("0.60", "3.00"),
    "glm-4p7": ("0.60", "2.20"),
    "deepseek-v3p1": ("0.56", "1.68"),
    "deepseek-v3p2": ("0.56", "1.68"),
    "qwen3p6-plus": ("0.50", "3.00"),
    "minimax-m2p5": ("0.30", "1.20"),
    "minimax-m2p7": ("0.30", "1.20"),
    "minimax-m3": ("0.30", "1.20"),
    "qwen3-vl-30b-a3b-thinking": ("0.15", "0.60"),
    "gpt-oss-120b": ("0.15", "0.60"),
    "gpt-oss-20b": ("0.07", "0.30"),
}


def token_model(name: str, prices: tuple[str, str]) -> str:
    """Write the line of a model that is priced by the token."""
    return f'  {PREFIX}{name}: {{input: "{prices[0]}", output: "{prices[1]}"}}'


def test_two_versions_of_one_provider_are_shipped() -> None:
    """Each file is named for its version, says its source, and counts from its date."""
    names = ["fireworks/2025-01-01.yaml", "fireworks/2026-05-12.yaml"]
    texts = dict(shipped_rate_files())
    tables = {name: load_rate_table(texts[name], name) for name in names}
    starts = [datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 5, 12, tzinfo=UTC)]
    assert [table.effective_from for table in tables.values()] == starts
    for name, table in tables.items():
        assert name == f"{table.provider}/{table.version}.yaml"
        assert table.currency == "USD"
        assert "Assumed" in table.source


def test_the_first_version_holds_the_tutorial_prices() -> None:
    """Five models by the token, speech by the audio minute, embeddings by input only."""
    text = dict(shipped_rate_files())["fireworks/2025-01-01.yaml"]
    expected = [token_model(name, prices) for name, prices in TUTORIAL_PRICES.items()]
    expected.append('  whisper-v3: {audio_input: {price: "0.20", per: minute}}')
    expected.append('  nomic-ai/nomic-embed-text-v1.5: {input: "0.008"}')
    assert text.split("models:\n")[1].splitlines() == expected


def test_the_second_version_holds_the_prices_of_the_gateway_page() -> None:
    """Twenty models, each by input and output tokens."""
    text = dict(shipped_rate_files())["fireworks/2026-05-12.yaml"]
    expected = [token_model(name, prices) for name, prices in GATEWAY_PRICES.items()]
    assert text.split("models:\n")[1].splitlines() == expected
    assert len(expected) == 20
