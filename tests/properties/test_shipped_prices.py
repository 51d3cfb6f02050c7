"""Every shipped price, with random usage: what the product rates is what fractions make of the file.

Each combination that a model is listed for gets its share of the usages, those around the edges of its
tiers among them; so do its aliases, ids that fall back on it, and combinations it has no prices for.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import cycle, islice, product
from typing import Any

import msgspec
import pytest
import yaml

from ledger.core.configuration import Configuration
from ledger.core.rating import RatedStatement, rate_statement
from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from pricing import PublishedTable, Quantities, RateBook, load_rate_table, shipped_rate_files

FILES = dict(shipped_rate_files())
USAGES = 250  # for each model
FROM_JSON = 20  # so many of them as records; the others are made of numbers at once
PICO = 10**12
ENCODER = msgspec.json.Encoder(decimal_format="number")

# The words of rate files for what a record states, and how many of it one price buys unless stated.
INSIDE_INPUT = {
    "cached_input_tokens": "cached_input", "cache_write_tokens": "cache_write",
    "cache_write_1h_tokens": "cache_write_1h", "audio_input_tokens": "audio_input_tokens",
    "cached_audio_input_tokens": "cached_audio_input_tokens", "image_input_tokens": "image_input_tokens",
}  # fmt: skip
INSIDE_OUTPUT = {
    "reasoning_tokens": "reasoning", "audio_output_tokens": "audio_output_tokens",
    "image_output_tokens": "image_output_tokens",
}  # fmt: skip
APART = {
    "input_characters": "input_characters", "output_characters": "output_characters", "images": "image",
    "image_steps": "image_step", "web_searches": "web_search", "rerank_searches": "rerank_search",
    "training_tokens": "training",
}  # fmt: skip
TIMES = {"input_seconds": "audio_input", "output_seconds": "audio_output", "gpu_seconds": "gpu"}
WORDS = INSIDE_INPUT | INSIDE_OUTPUT | APART | TIMES
COUNTS = {"1M": 10**6, "1K": 10**3, "1": 1, "second": 1, "minute": 60, "hour": 3600}
BY_THE_ONE, BY_THE_THOUSAND = ("image", "image_step", "request"), ("web_search", "rerank_search")
BILLS_AS = {
    "cached_input": "input",
    "reasoning": "output",
    "cached_audio_input_tokens": "audio_input_tokens",
}

Way = dict[str, str]  # how a model is called, as `when` says it
Tiers = list[tuple[int, dict[str, Fraction]]]  # first input token, price of one by word
Usage = dict[str, int]  # by the names of records; seconds are microseconds


@dataclass(frozen=True)
class Listed:
    """A model of a file: the ids that bill as it, and its prices by how it is called."""

    ids: list[str]
    ways: list[tuple[Way, Tiers]]

    def tiers(self, way: Way) -> Tiers | None:
        return next((tiers for listed, tiers in self.ways if listed == way), None)


def models_of(text: str) -> Iterator[Listed]:
    """The models of a file, read by nothing of the product."""
    sheet = yaml.load(text, yaml.BaseLoader)  # noqa: S506 (makes only text)
    models, aliases = sheet["models"], sheet.get("aliases", {})
    fallback = sheet.get("fallback", {})
    for model, stated in models.items():
        usual = {word: price for word, price in stated.items() if word != "variants"}
        ways: list[tuple[Way, Tiers]] = [({}, _tiers(usual))] if usual else []
        ways += [
            (variant["when"], _tiers({word: variant[word] for word in variant if word != "when"}))
            for variant in stated.get("variants", [])
        ]
        others = [alias for alias in aliases if _end(alias, aliases) == model]
        yield Listed([model, *others, *_falling(model, fallback, models, aliases)], ways)


def _tiers(stated: Mapping[str, Any]) -> Tiers:
    if "tiers" not in stated:
        return [(0, _prices(stated))]
    return [(int(tier["start"]), _prices(tier)) for tier in stated["tiers"]]


def _prices(stated: Mapping[str, Any]) -> dict[str, Fraction]:
    prices = {}
    for word, price in stated.items():
        if word in ("start", "end"):
            continue
        usual = "1" if word in BY_THE_ONE else "1K" if word in BY_THE_THOUSAND else "1M"
        amount, per = (
            (price, usual) if isinstance(price, str) else (price["price"], price.get("per", usual))
        )
        prices[word] = Fraction(amount) / COUNTS[per]
    return prices


def _end(alias: str, aliases: Mapping[str, str]) -> str:
    while alias in aliases:
        alias = aliases[alias]
    return alias


def _falling(
    model: str, fallback: Mapping[str, str], models: Mapping[str, Any], aliases: Mapping[str, str]
) -> Iterator[str]:
    """For each pattern that leads to a model an id that fits it, and no pattern before it."""
    for place, (pattern, target) in enumerate(fallback.items()):
        example = pattern.replace("*", "x-any-x")
        earlier = list(fallback)[:place]
        known = example in models or example in aliases or any(_fits(p, example) for p in earlier)
        if target == model and not known:
            yield example


def _fits(pattern: str, text: str) -> bool:
    """Greedy from both ends, which is enough for a pattern in which only `*` is special."""
    first, *middle = pattern.split("*")
    if not middle:
        return pattern == text
    if not text.startswith(first) or not text[len(first) :].endswith(middle[-1]):
        return False
    rest = text[len(first) : len(text) - len(middle[-1]) or None]
    for part in middle[:-1]:
        at = rest.find(part)
        if at < 0:
            return False
        rest = rest[at + len(part) :]
    return True


def expected(tiers: Tiers | None, usage: Usage) -> Fraction | None:
    """What a usage costs in USD; None where something in it has no price."""
    if tiers is None:
        return None
    prices = [prices for start, prices in tiers if start <= usage.get("input_tokens", 0)][-1]
    used = {word: Fraction(usage.get(name, 0)) for name, word in WORDS.items()}
    used |= {word: used[word] / 10**6 for word in TIMES.values()}
    inside = sum(usage.get(name, 0) for name in INSIDE_INPUT)
    outside = sum(usage.get(name, 0) for name in INSIDE_OUTPUT)
    used["input"] = Fraction(usage.get("input_tokens", 0) - inside)
    used["output"] = Fraction(usage.get("output_tokens", 0) - outside)
    used["request"] = Fraction("request" in prices)
    total = Fraction(0)
    for word, amount in used.items():
        price = prices.get(word, prices.get(BILLS_AS.get(word, "")))
        if amount and price is None:
            return None
        if amount and price is not None:
            total += Fraction(round(amount * price * PICO), PICO)
    return total


def draw(source: random.Random, tiers: Tiers | None) -> Usage:
    """Mostly of what has a price, at every size, and around the edges of tiers; else of anything."""
    prices = tiers[source.randrange(len(tiers))][1] if tiers else {}
    anything = source.random() < 0.15 or not tiers
    edges = [start + near for start, _ in tiers or () for near in (-1, 0, 1) if start + near >= 0]

    def count(word: str) -> int:
        if not anything and word not in prices and BILLS_AS.get(word) not in prices:
            return 0
        return source.choice((0, 1, source.randrange(1000), source.randrange(10**7)))

    usage = {name: count(word) for name, word in (APART | TIMES).items() if source.random() < 0.3}
    parts = {name: count(w) // 8 for name, w in INSIDE_INPUT.items() if source.random() < 0.4}
    whole = sum(parts.values()) + count("input")
    if edges and source.random() < 0.4:
        whole, parts = source.choice(edges), {}
        if whole and (anything or "input" in prices):
            parts = {"cached_input_tokens": source.randrange(whole + 1)}
    inside = {name: count(w) for name, w in INSIDE_OUTPUT.items() if source.random() < 0.3}
    usage |= parts | {"input_tokens": whole}
    return usage | inside | {"output_tokens": sum(inside.values()) + count("output")}


def record_of(usage: Usage, called: Mapping[str, Any]) -> bytes:
    """The usage as a request record; seconds as decimals."""
    natural = {
        name: Decimal(amount).scaleb(-6) if name in TIMES else amount
        for name, amount in usage.items()
    }
    names = {"request_id": "r", "customer_id": "c"}
    return ENCODER.encode({**names, **natural, **called})


def quantities_of(usage: Usage) -> Quantities:
    """The same usage taken apart."""
    inside = sum(usage.get(name, 0) for name in INSIDE_INPUT)
    other = {
        name: usage[name] for name in WORDS if usage.get(name) and name != "cached_input_tokens"
    }
    return Quantities(
        usage["input_tokens"] - inside,
        usage.get("cached_input_tokens", 0),
        usage["output_tokens"] - sum(usage.get(name, 0) for name in INSIDE_OUTPUT),
        other or None,
    )


def cost_of(statement: Statement, configuration: Configuration) -> Fraction | None:
    """What the product says that a statement costs, in USD; None while unrated."""
    rated = rate_statement(statement, 1, configuration)
    assert isinstance(rated, RatedStatement), rated
    assert rated.is_unrated is (rated.costs is None)
    return None if rated.costs is None else Fraction(rated.costs.total_pico, PICO)


def statements(
    source: random.Random, listed: Listed, called: Mapping[str, Any], received_at: datetime
) -> Iterator[tuple[Usage, Tiers | None, Statement]]:
    """Usages in turn over a model's ids and ways to call it, one of which it is not listed for."""
    ways: list[tuple[Way, Tiers | None]] = [*listed.ways, ({"region": "nowhere"}, None)]
    templates: list[Statement] = []
    turns = list(product(listed.ids, ways))
    for number, (model, (way, tiers)) in enumerate(islice(cycle(turns), USAGES)):
        usage = draw(source, tiers)
        if number < max(FROM_JSON, len(turns)):
            batch = {"batch": True} if "batch" in way else {}
            raw = record_of(usage, {**called, **way, **batch, "model": model})
            statement = read_statement(raw, received_at)
            assert isinstance(statement, Statement), statement
            assert statement.quantities == quantities_of(usage)
            templates.append(statement)
        else:
            template = templates[number % len(turns)]
            statement = msgspec.structs.replace(template, quantities=quantities_of(usage))
        yield usage, tiers, statement


@pytest.mark.parametrize("name", FILES)
def test_a_shipped_table_rates_as_fractions_do(name: str) -> None:
    """A thousand usages of every model, difference zero; without a price for some of it, unrated."""
    table = load_rate_table(FILES[name], name)
    book = RateBook([PublishedTable(1, table)])
    configuration = Configuration(epoch=1, book=book, meters={}, meter_slugs={}, limits={})
    called = {"provider": table.provider, "timestamp": table.effective_from.isoformat()}
    differences, rated, unrated = [], 0, 0
    for listed in models_of(FILES[name]):
        source = random.Random(f"{name} {listed.ids[0]}")
        for usage, tiers, statement in statements(source, listed, called, table.effective_from):
            ours, theirs = expected(tiers, usage), cost_of(statement, configuration)
            rated, unrated = rated + (ours is not None), unrated + (ours is None)
            if ours != theirs:
                differences.append((statement.model, usage, ours, theirs))
    assert differences[:3] == []
    assert rated + unrated == USAGES * len(table.models)
    assert rated > unrated / 2 > 0


def test_every_model_and_every_name_of_a_table_is_tried() -> None:
    """The reading above misses nothing that the product reads."""
    for name, text in FILES.items():
        table = load_rate_table(text, name)
        listed = list(models_of(text))
        assert [each.ids[0] for each in listed] == list(table.models)
        assert {each for one in listed for each in one.ids} >= {*table.models, *table.aliases}
        combinations = [len(table.models[each.ids[0]].combinations) for each in listed]
        assert [len(each.ways) for each in listed] == combinations
