"""genai-prices: kinds of tokens that it bills as what they are a part of."""

from pricing.imports import import_rates
from tests.unit.pricing.imports.price_list_texts import body_of, wanted


def told_apart(provider: str, model: str, prices: str) -> list[str]:
    """Give the lines of one model of a provider."""
    text = (
        f"providers = [Provider(id={provider!r}, models=[ModelInfo(id={model!r}, "
        f"match=ClauseEquals(equals={model!r}), prices={prices})])]"
    )
    return body_of(import_rates("genai-prices", text, wanted()).tables[provider])


TOKENS = (
    "ModelPrice(input_mtok=Decimal('2'), cache_read_mtok=Decimal('1'), output_mtok=Decimal('8'){})"
)
PLAIN_LINE = 'm: {input: "2.00", cached_input: "1.00", output: "8.00"}'


def test_parts_that_the_source_bills_as_the_whole_have_its_price() -> None:
    """Those that the usage of the provider states; for us a part without a price is unrated."""
    tokens = TOKENS.format("")
    cache_write = 'm: {input: "2.00", cached_input: "1.00", output: "8.00", cache_write: "2.00"}'
    assert told_apart("openai", "m", tokens) == [cache_write]
    assert told_apart("azure", "m", tokens) == [cache_write]
    assert told_apart("google", "m", tokens) == [
        "m:",
        '  input: "2.00"',
        '  cached_input: "1.00"',
        '  output: "8.00"',
        '  audio_input_tokens: "2.00"',
        '  cached_audio_input_tokens: "1.00"',
    ]
    assert told_apart("google", "gemini-9-flash-tts", tokens)[-1] == '  audio_output_tokens: "8.00"'
    assert told_apart("acme", "m", tokens) == [PLAIN_LINE]


def test_parts_that_the_source_prices_keep_their_price() -> None:
    """Also 0, which is told; and what states no output, or no price of the whole, gets no parts."""
    stated = told_apart("openai", "m", TOKENS.format(", cache_write_mtok=Decimal('2.5')"))
    assert stated == [PLAIN_LINE.replace("}", ', cache_write: "2.50"}')]
    zero = told_apart("openai", "m", TOKENS.format(", cache_write_mtok=Decimal('0')"))
    assert zero == [PLAIN_LINE]
    unread = told_apart("google", "m", "ModelPrice(input_mtok=Decimal('2'), output_mtok=None)")
    assert unread == ['m: {input: "2.00"}']
    uncached = "ModelPrice(input_mtok=Decimal('2'), output_mtok=Decimal('8'))"
    assert told_apart("google", "m", uncached) == [
        'm: {input: "2.00", output: "8.00", audio_input_tokens: "2.00"}'
    ]


def test_parts_follow_the_whole_into_tiers_and_variants() -> None:
    """Each has the price that the whole has there."""
    lines = told_apart(
        "openai",
        "m",
        "ModelPrice(output_mtok=Decimal('8'), input_mtok=TieredPrices(base=Decimal('2'), "
        "tiers=[Tier(start=9, price=Decimal('4'))])), "
        "price_variants=[PriceVariant(when={'processing': 'batch'}, "
        "prices=ModelPrice(input_mtok=Decimal('1')))]",
    )
    assert lines == [
        "m:",
        "  tiers:",
        '    - {start: 0, input: "2.00", output: "8.00", cache_write: "2.00"}',
        '    - {start: 10, input: "4.00", output: "8.00", cache_write: "4.00"}',
        "  variants:",
        '    - {when: {batch: true}, input: "1.00", output: "8.00", cache_write: "1.00"}',
    ]
