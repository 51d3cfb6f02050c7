"""The prices of the naive ledger: what rate files and meters say, applied in the obvious way.

It shares no code with the product. A price for one unit, which may not divide evenly, is a Fraction
until its amount is rounded once; money is Decimal USD.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

# How a rate file names what a record calls so. Seconds are natural seconds.
PRICE_NAMES = {
    "input_tokens": "input",
    "cached_input_tokens": "cached_input",
    "cache_write_tokens": "cache_write",
    "cache_write_1h_tokens": "cache_write_1h",
    "audio_input_tokens": "audio_input_tokens",
    "cached_audio_input_tokens": "cached_audio_input_tokens",
    "image_input_tokens": "image_input_tokens",
    "output_tokens": "output",
    "reasoning_tokens": "reasoning",
    "audio_output_tokens": "audio_output_tokens",
    "image_output_tokens": "image_output_tokens",
    "input_seconds": "audio_input",
    "output_seconds": "audio_output",
    "gpu_seconds": "gpu",
    "input_characters": "input_characters",
    "output_characters": "output_characters",
    "images": "image",
    "image_steps": "image_step",
    "web_searches": "web_search",
    "rerank_searches": "rerank_search",
    "training_tokens": "training",
}
UNITS = tuple(PRICE_NAMES)
SECONDS = ("input_seconds", "output_seconds", "gpu_seconds")
INPUT_PARTS, OUTPUT_PARTS = UNITS[1:7], UNITS[8:11]  # within the tokens that stand before them
WHOLES = {"input_tokens": INPUT_PARTS, "output_tokens": OUTPUT_PARTS}
# What is charged as something else where it has no price of its own.
STAND_INS = {
    "cached_input": "input",
    "cached_audio_input_tokens": "audio_input_tokens",
    "reasoning": "output",
}
PER = {"1M": 10**6, "1K": 10**3, "1": 1, "hour": 3600, "minute": 60, "second": 1}
PER_UNLESS_STATED = {
    **dict.fromkeys(("image", "image_step", "request"), "1"),
    **dict.fromkeys(("web_search", "rerank_search"), "1K"),
}
WHEN = ("service_tier", "batch", "region", "accelerator")
NO_TIERS = ("standard", "default", "standard_only")

Quantities = Mapping[str, int | Decimal]
Prices = Mapping[str, Any]  # of one model, as a rate file says them
Names = Mapping[str, str]
NONE: Names = {}


@dataclass(frozen=True)
class Table:
    """One version of a provider's rate table, its models as the file says them."""

    provider: str
    effective_from: datetime
    models: Mapping[str, Prices]
    aliases: Names = field(default_factory=dict)
    fallback: Names = field(default_factory=dict)

    def lists(self, model: str | None) -> bool:
        return model in self.models or model in self.aliases

    def prices_of(self, model: str | None) -> Prices | None:
        """A model's own prices, else those of its alias, else those of the first pattern that fits."""
        if model is None or model in self.models:
            return self.models.get(model or "")
        if model in self.aliases:
            return self.prices_of(self.aliases[model])
        targets = (to for pattern, to in self.fallback.items() if fits(pattern, model))
        return self.models.get(next(targets, ""))


@dataclass(frozen=True)
class Terms:
    """What a meter charges: `rate` per cent of cost or, with a unit, so much for that many of it."""

    rate: Decimal = Decimal(0)
    unit: str | None = None


NO_FEE = Terms()


def in_force(tables: Iterable[Table], provider: str, moment: datetime) -> Table | None:
    """The latest version of a provider that is effective at a moment; of equals the last."""
    known = [t for t in tables if t.provider == provider and t.effective_from <= moment]
    return max(reversed(known), key=lambda table: table.effective_from, default=None)


def fits(pattern: str, text: str) -> bool:
    """Whether a text is as a pattern says, in which `*` is any text."""
    head, star, rest = pattern.partition("*")
    if not star:
        return pattern == text
    ends = range(len(head), len(text) + 1)
    return text.startswith(head) and any(fits(rest, text[at:]) for at in ends)


def called_as(record: Mapping[str, Any]) -> dict[str, str]:
    """What a record states that prices depend on; the usual is left out."""
    called = {name: str(record[name]) for name in WHEN if record.get(name)}
    tier = called.get("service_tier")
    if tier in NO_TIERS or tier == "batch":
        del called["service_tier"]
    if "batch" in called or tier == "batch":
        called["batch"] = "true"
    return called


def sections(prices: Prices) -> Iterator[tuple[dict[str, str], Prices]]:
    """The prices of a model by what they are for, as `called_as` says that."""
    variants = prices.get("variants", [])
    usual = {name: value for name, value in prices.items() if name != "variants"}
    if usual:
        yield {}, usual
    for variant in variants:
        section = {name: value for name, value in variant.items() if name != "when"}
        yield {name: str(value) for name, value in variant["when"].items()}, section


def tiers_of(section: Prices) -> list[tuple[int, dict[str, Fraction]]]:
    """From how many input tokens on which prices count, lowest first."""
    tiers = section.get("tiers", [{"start": "0", **section}])
    return [
        (int(tier["start"]), unit_prices({k: tier[k] for k in tier if k not in ("start", "end")}))
        for tier in tiers
    ]


def unit_prices(section: Prices) -> dict[str, Fraction]:
    """The price of one of each; the mapping form names for how many it is."""
    prices = {}
    for name, stated in section.items():
        form = {"price": stated} if isinstance(stated, str) else stated
        per = form.get("per", PER_UNLESS_STATED.get(name, "1M"))
        prices[name] = Fraction(form["price"]) / PER[per]
    return prices


def cost_of(quantities: Quantities, prices: Prices, called: Names = NONE) -> Decimal | None:
    """What a usage costs at the prices of a model; None when something in it has no price.

    Raises ValueError where it is more than an amount can hold.
    """
    section = next((section for when, section in sections(prices) if when == called), None)
    if section is None:
        return None
    whole = quantities.get("input_tokens", 0)
    [*_, (_, at)] = [tier for tier in tiers_of(section) if tier[0] <= whole]
    amounts = []
    used = dict(parts_of(quantities)) | ({"request": Fraction(1)} if "request" in at else {})
    for name, amount in used.items():
        price = at.get(name, at.get(STAND_INS.get(name, "")))
        if price is None:
            return None
        amounts.append(round_pico(amount * price))
    return held(sum(amounts, Decimal(0)))


def parts_of(quantities: Quantities) -> Iterator[tuple[str, Fraction]]:
    """What was used, by its name in rate files; of each whole only what no part of it is."""
    for unit, name in PRICE_NAMES.items():
        inside = sum(Fraction(quantities.get(part, 0)) for part in WHOLES.get(unit, ()))
        rest = Fraction(quantities.get(unit, 0)) - inside
        if rest:
            yield name, rest


def fee_of(terms: Terms, cost: Decimal, quantities: Quantities) -> Decimal:
    """What a meter charges for one request, rounded once. Raises ValueError as `cost_of` does."""
    share = Fraction(cost) / 100 if terms.unit is None else metered(terms.unit, quantities)
    return held(round_pico(Fraction(terms.rate) * share))


def metered(unit: str, quantities: Quantities) -> Fraction:
    """How many of what a meter's rate is for a request used."""
    counted = {
        "tokens_1m": ("input_tokens", "output_tokens", "training_tokens"),
        "characters_1m": ("input_characters", "output_characters"),
        "minutes": ("input_seconds", "output_seconds"),
    }
    if unit == "requests":
        return Fraction(1)
    used = sum((Fraction(quantities.get(name, 0)) for name in counted[unit]), Fraction(0))
    return used / (60 if unit == "minutes" else 10**6)


def held(amount: Decimal) -> Decimal:
    """An amount that 64 bits can hold."""
    if amount.scaleb(12) >= 2**63:
        raise ValueError("amount_out_of_range")
    return amount


def round_pico(amount: Fraction) -> Decimal:
    """An amount rounded half-even to twelve places."""
    return Decimal(round(amount * 10**12)).scaleb(-12)
