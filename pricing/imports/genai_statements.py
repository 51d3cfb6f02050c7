"""The prices of one model of genai-prices on a day, as statements."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from pricing.imports.assembly import CannotList, Stated, words
from pricing.imports.drafts import BATCH, NO_TIER, PLAIN, Report, When, called_in_tier, tier_after
from pricing.imports.genai_shape import Conditional, Model, Prices, Tiered, Variant

# The source's price key, our rate key, and the word for `per` where it is not the unit's default.
_KEYS = {
    "input_mtok": ("input", ""),
    "output_mtok": ("output", ""),
    "cache_read_mtok": ("cached_input", ""),
    "cache_write_mtok": ("cache_write", ""),
    "cache_write_1h_mtok": ("cache_write_1h", ""),
    "output_reasoning_mtok": ("reasoning", ""),
    "input_audio_mtok": ("audio_input_tokens", ""),
    "cache_audio_read_mtok": ("cached_audio_input_tokens", ""),
    "output_audio_mtok": ("audio_output_tokens", ""),
    "input_image_mtok": ("image_input_tokens", ""),
    "output_image_mtok": ("image_output_tokens", ""),
    "input_audio_hours": ("audio_input", "hour"),
    "output_audio_hours": ("audio_output", "hour"),
    "input_mchars": ("input_characters", ""),
    "web_searches_kcount": ("web_search", "1K"),
    "rerank_searches_kcount": ("rerank_search", "1K"),
    "requests_kcount": ("request", "1K"),
}
# What records do not tell apart from something that has a price: no harm if that price is the same.
_PART_OF = {
    "audio_hours": "input_audio_hours",
    "cache_write_5m_mtok": "cache_write_mtok",
    "cache_image_read_mtok": "cache_read_mtok",
    "cache_text_read_mtok": "cache_read_mtok",
    "cache_video_read_mtok": "cache_read_mtok",
    "input_text_mtok": "input_mtok",
    "input_tool_mtok": "input_mtok",
    "input_video_mtok": "input_mtok",
    "output_citation_mtok": "output_mtok",
    "output_text_mtok": "output_mtok",
    "output_video_mtok": "output_mtok",
}
# Charged beside the tokens, and not counted here: what is charged for tokens is right without it.
_BESIDE = frozenset({"code_executions_kcount", "social_searches_kcount", "storage_searches_kcount"})
# What the usage of a provider tells apart from something else, and the source bills as that where it
# has no price of its own: each with what it bills as.
_TOLD_APART = {
    "azure": {"cache_write_mtok": "input_mtok"},
    "google": {"input_audio_mtok": "input_mtok", "cache_audio_read_mtok": "cache_read_mtok"},
    "openai": {"cache_write_mtok": "input_mtok"},
}
# These take text, and all that they put out is audio.
_SPEAKS = re.compile(r"gemini-.*-tts(-.*)?")
_SPOKEN = {"output_audio_mtok": "output_mtok"}


def statements_of(provider: str, model: Model, on: date, report: Report) -> list[Stated]:
    """Give what a model of a provider, by the source's name of that, costs on a day.

    Raises:
        CannotList: Its prices depend on something that a table cannot say.
    """
    plain = _plain_prices(model.prices, on, report)
    replaced: dict[When, Prices] = {PLAIN: {}}
    for variant in model.price_variants or ():
        when = _when(variant, report)
        if when is not None and _counts(variant, on):
            # Of several variants for the same calls the first that states a price holds.
            replaced[when] = variant.prices | replaced.get(when, {})
    parts = _SPOKEN if _SPEAKS.fullmatch(model.id) else _TOLD_APART.get(provider, {})
    whole = {when: _completed(plain | prices, parts) for when, prices in replaced.items()}
    starts = sorted({0}.union(*map(_starts, whole.values())))
    statements: list[Stated] = []
    for when, prices in whole.items():
        try:
            # As a list, so that of a combination that fails midway nothing stays.
            statements += list(_combination(prices, when, starts))
        except CannotList as reason:
            if not when:
                raise
            report(f"{words(when)} {reason.field}", reason.reason)
    for field in sorted(_BESIDE & plain.keys()):
        report(field, "is charged beside the tokens, and is not counted")
    return statements


def _plain_prices(prices: Prices | list[Conditional], on: date, report: Report) -> Prices:
    """Choose the prices that count on a day; the last of those whose condition holds."""
    if isinstance(prices, dict):
        return prices
    chosen: Prices | None = None
    for each in prices:
        if _counts(each, on):
            chosen = each.prices
        else:
            report("prices", f"others count from {_start(each)}; import again for that day")
    if chosen is None:
        raise CannotList("prices", "none counts yet on this day")
    return chosen


def _counts(conditional: Conditional | Variant, on: date) -> bool:
    start = _start(conditional)
    return start is None or start <= on


def _start(conditional: Conditional | Variant) -> date | None:
    """The day from which prices count; None for those that always do."""
    constraint = conditional.constraint
    if constraint is None:
        return None
    if constraint.start_date is None:
        raise CannotList("prices", "depend on the time of day, which a table cannot say")
    return constraint.start_date


def _when(variant: Variant, report: Report) -> When | None:
    """Read which calls a variant is for; None when it cannot be said, or is plain calls again."""
    match variant.when:
        case {"processing": "batch", **rest} if not rest:
            return BATCH
        case {"service_tier": "default", **rest} if not rest and not variant.prices:
            return None
        # Anthropic's fast mode is asked for by its speed, and is a tier like others.
        case {"service_tier": tier, **rest} | {"speed": tier, **rest} if not rest:
            when, reason = called_in_tier(tier), NO_TIER
        case _:
            when, reason = None, "depends on what a record does not state"
    if when is None:
        report(f"variant {variant.when}"[:80], reason)
    return when


def _completed(prices: Prices, parts: Mapping[str, str]) -> Prices:
    """Write out what parts of a whole cost, for a model of input and output that prices none apart.

    Source: `compute_leaf_values` of genai-prices, which counts a kind without a price into the wider
    kind that has one.
    """
    stated = {field for field, price in prices.items() if price is not None}
    if not {"input_mtok", "output_mtok"} <= stated or not stated.isdisjoint(parts):
        return prices
    return prices | {part: prices[whole] for part, whole in parts.items() if prices.get(whole)}


def _starts(prices: Prices) -> set[int]:
    """The numbers of input tokens from which one of the prices is another."""
    return {
        tier_after(tier.start)
        for price in prices.values()
        if isinstance(price, Tiered)
        for tier in price.tiers
    }


def _combination(prices: Prices, when: When, starts: list[int]) -> Iterator[Stated]:
    """State each price at every start, also where it stays the same."""
    for field, price in prices.items():
        if price is None or field in _BESIDE:
            continue
        if field in _KEYS:
            key, per = _KEYS[field]
            for start in starts:
                yield Stated(field, key, _price_at(price, start), per=per, start=start, when=when)
        elif field not in _PART_OF:
            raise CannotList(field, "is a price that a table cannot hold")
        elif price != prices.get(_PART_OF[field]):
            reason = f"is not {_PART_OF[field]}, and usage does not tell them apart"
            raise CannotList(field, reason)


def _price_at(price: Decimal | Tiered, start: int) -> Decimal:
    """The price of requests with so many input tokens."""
    if isinstance(price, Decimal):
        return price
    reached = [tier for tier in price.tiers if tier_after(tier.start) <= start]
    return max(reached, key=lambda tier: tier.start).price if reached else price.base
