"""A draft is laid out for people, and loads as what it says."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import STANDARD, Combination, load_rate_table
from pricing.imports import DraftHead, DraftModel, DraftTable, DraftTier, Price, draft_text
from pricing.imports.drafts import BATCH, PLAIN, LeftOut, SourceError, Wanted
from pricing.imports.gathering import Gathering, imported, require_providers
from tests.unit.pricing.imports.price_list_texts import DAY, HEAD, body_of, left_out, loaded


def flat(**amounts: str) -> DraftModel:
    """Make a model with the same prices for every call."""
    return DraftModel({PLAIN: (DraftTier(0, prices(**amounts)),)})


def prices(**amounts: str) -> dict[str, Price]:
    """Make prices by rate key."""
    return {key: Price(Decimal(amount)) for key, amount in amounts.items()}


def test_a_draft_reads_like_a_table_written_by_hand() -> None:
    """Sorted; a model a line where it fits; two decimals at least; comments and source on top."""
    table = DraftTable(
        models={
            "b:1": flat(input="1.7400", output="3.48"),
            "a": DraftModel(
                {
                    PLAIN: (
                        DraftTier(0, prices(input="1", output="10")),
                        DraftTier(200_001, prices(input="2", output="15")),
                    ),
                    BATCH: (DraftTier(0, prices(input="0.5", output="5")),),
                    (("service_tier", "priority"),): (
                        DraftTier(0, prices(input="2", output="20")),
                        DraftTier(200_001, prices(input="4", output="30")),
                    ),
                }
            ),
            "whisper": DraftModel(
                {PLAIN: (DraftTier(0, {"audio_input": Price(Decimal("0.36"), "hour")}),)}
            ),
            "null": flat(
                input="1", cached_input="0.1", output="5", cache_write="1.25", cache_write_1h="2"
            ),
        },
        aliases={"z": "a", "y": "b:1"},
        fallback={"a-20*": "a", "*": "null"},
    )
    head = DraftHead("1.0", HEAD.effective_from, "where from " * 12, comments=("Read me.", ""))

    assert (
        draft_text("acme", head, table)
        == """\
# Read me.
#
provider: acme
version: "1.0"
effective_from: 2026-11-20T00:00:00Z
currency: USD
source: >-
  where from where from where from where from where from where from where from where from where from
  where from where from where from
models:
  a:
    tiers:
      - {start: 0, input: "1.00", output: "10.00"}
      - {start: 200001, input: "2.00", output: "15.00"}
    variants:
      - {when: {batch: true}, input: "0.50", output: "5.00"}
      - when: {service_tier: priority}
        tiers:
          - {start: 0, input: "2.00", output: "20.00"}
          - {start: 200001, input: "4.00", output: "30.00"}
  "b:1": {input: "1.74", output: "3.48"}
  "null":
    input: "1.00"
    cached_input: "0.10"
    output: "5.00"
    cache_write: "1.25"
    cache_write_1h: "2.00"
  whisper: {audio_input: {price: "0.36", per: hour}}
aliases:
  y: "b:1"
  z: a
fallback:
  "a-20*": a
  "*": "null"
"""
    )
    assert loaded("acme", table).aliases == {"z": "a", "y": "b:1"}


def test_a_model_may_have_prices_for_some_calls_only() -> None:
    """Without plain prices a draft still loads, and plain calls have none."""
    model = DraftModel({BATCH: (DraftTier(0, prices(input="1")),)})
    rates = loaded("acme", DraftTable({"m": model})).models["m"]
    assert STANDARD not in rates.combinations
    assert Combination(is_batch=True) in rates.combinations


def test_a_long_tier_stands_on_a_line() -> None:
    """A text cannot be broken into a block, however far it goes beyond the width."""
    tier = "t" * 120
    model = DraftModel({(("service_tier", tier),): (DraftTier(0, prices(input="1")),)})
    lines = draft_text("acme", HEAD, DraftTable({"m": model})).splitlines()
    assert lines[-3:] == [
        "      - when:",
        f"          service_tier: {tier}",
        '        input: "1.00"',
    ]


@given(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=255))
def test_every_id_that_can_be_printed_is_read_back(model: str) -> None:
    """Quotes, colons, hashes and other scripts survive as the text that they are."""
    text = draft_text("acme", HEAD, DraftTable({model: flat(input="1")}, {}, {}))
    assert list(load_rate_table(text, "draft.yaml").models) == [model]


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("", ""),
        ("m" * 256, "m" * 255),
        ("a\nb", r"a\nb"),
        ("é\ud800", r"é\ud800"),
        ("a\0\x1b[2J", r"a\x00\x1b[2J"),
    ],
)
def test_an_id_that_no_record_states_is_left_out(model: str, shown: str) -> None:
    """Nothing that cannot be loaded again gets into a draft, and nothing that cannot be shown is told."""
    gathering = Gathering("acme")
    assert not gathering.add(model, flat(input="1"))
    assert gathering.add("m", flat(input="1"))
    gathering.add_alias(model, "m")
    gathering.add_pattern(f"{model}\n*", "m")
    assert body_of(gathering.table()) == ['m: {input: "1.00"}']
    assert left_out(imported({"acme": gathering})) == [
        f"{shown} model: is no id that a record could state"
    ]
    shown.encode()


def test_of_two_listings_that_differ_neither_stays() -> None:
    """Nothing says which is right; the same twice is no contradiction, and names of it go along."""
    gathering = Gathering("acme")
    assert gathering.add("a", flat(input="1"))
    assert gathering.add("a", flat(input="1"))
    gathering.add_alias("b", "a")
    gathering.add_pattern("a-*", "a")
    assert not gathering.add("a", flat(input="2"))
    assert not gathering.add("a", flat(input="1"))
    assert gathering.add("c", flat(input="3"))
    gathering.add_alias("c", "c")
    assert body_of(gathering.table()) == ['c: {input: "3.00"}']
    assert left_out(imported({"acme": gathering})) == [
        "a model: is listed twice with different prices"
    ]


def test_no_more_patterns_than_a_table_may_have() -> None:
    """Those beyond are told."""
    gathering = Gathering("acme")
    gathering.add("m", flat(input="1"))
    for number in range(102):
        gathering.add_pattern(f"{number}-*", "m")
    assert list(gathering.table().fallback) == [f"{number}-*" for number in range(100)]
    assert gathering.left_out == [
        LeftOut("acme", f"{number}-*", "match", "a table has at most 100 patterns")
        for number in (100, 101)
    ]


def test_a_provider_without_models_has_no_draft() -> None:
    """An empty table could not be loaded."""
    assert imported({"acme": Gathering("acme")}).tables == {}


def test_a_provider_that_is_not_there_is_named() -> None:
    """The message lists those that are, in our words, and not too many."""
    offered = [("x-ai", "xai"), ("b", "b")]
    require_providers(Wanted(None, DAY), offered)
    require_providers(Wanted(frozenset({"xai", "b"}), DAY), offered)
    with pytest.raises(SourceError, match=r"^has no provider c, d; there are b, xai$"):
        require_providers(Wanted(frozenset({"d", "c", "b"}), DAY), offered)
    with pytest.raises(SourceError, match=r", p39, \.\.\.$"):
        require_providers(
            Wanted(frozenset({"c"}), DAY), [(f"p{number:02}",) for number in range(41)]
        )
