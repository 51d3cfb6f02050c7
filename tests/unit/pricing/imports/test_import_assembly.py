"""What a source states becomes a model that is priced whole, or is not listed."""

from decimal import Decimal

import pytest

from pricing.imports.assembly import Stated, draft_model
from pricing.imports.drafts import BATCH, DraftTable, When
from tests.unit.pricing.imports.price_list_texts import body_of

PRIORITY: When = (("service_tier", "priority"),)


def assembled(*statements: Stated) -> tuple[list[str], list[str]]:
    """Give the lines of the model and those of the report."""
    reports: list[str] = []
    draft = draft_model(statements, lambda field, reason: reports.append(f"{field}: {reason}"))
    return ([] if draft is None else body_of(DraftTable({"m": draft}))), reports


def priced(start: int = 0, when: When = (), **amounts: str) -> list[Stated]:
    """State prices by rate key; the source calls them as we do."""
    return [
        Stated(key, key, Decimal(amount), start=start, when=when) for key, amount in amounts.items()
    ]


def at_zero(key: str, when: When = ()) -> Stated:
    """State a price of 0."""
    return Stated(key, key, 0, when=when)


def test_prices_stand_in_the_order_of_tables() -> None:
    """Whatever the order in which a source states them."""
    lines, reports = assembled(*priced(output="3", cached_input="0.1", input="1"))
    assert lines == ['m: {input: "1.00", cached_input: "0.10", output: "3.00"}']
    assert reports == []


def test_a_price_of_nothing_is_left_out_and_told() -> None:
    """The usage is then unrated, or bills as what it is a part of."""
    lines, reports = assembled(*priced(input="1", output="0"))
    assert lines == ['m: {input: "1.00"}']
    assert reports == [
        "output: 0 may mean free or unknown; write the price in if it is known to be free"
    ]


def test_a_model_without_any_price_is_not_listed() -> None:
    """A free model is written in by hand."""
    assert assembled() == ([], ["model: has no price that a table can hold"])
    assert assembled(*priced(input="0"))[0] == []
    assert assembled(*priced(when=BATCH, input="1"))[0] == []


def test_a_price_that_would_be_replaced_by_another_takes_the_model_along() -> None:
    """Cached input without a price bills as input, which would be wrong where one is stated."""
    lines, reports = assembled(*priced(input="1", cached_input="0.0000001"))
    assert lines == []
    assert reports == [
        "cached_input: 0.0000001 is finer than a table can hold; left out, it would bill as input"
    ]
    lines, _ = assembled(*priced(input="1", output="0.0000001"))
    assert lines == ['m: {input: "1.00"}']


@pytest.mark.parametrize(
    ("key", "stand_in"),
    [
        ("cached_input", "input"),
        ("reasoning", "output"),
        ("cached_audio_input_tokens", "audio_input_tokens"),
    ],
)
def test_a_part_at_0_takes_the_model_along(key: str, stand_in: str) -> None:
    """Left out alone, it would bill as the whole; if that has no price either, it is unrated."""
    zero = f"{key}: 0 may mean free or unknown; write the price in if it is known to be free"
    assert assembled(*priced(image="3"), Stated(stand_in, stand_in, 1), at_zero(key)) == (
        [],
        [f"{zero}; left out, it would bill as {stand_in}"],
    )
    assert assembled(*priced(image="3"), at_zero(key)) == (['m: {image: "3.00"}'], [zero])


def test_a_price_of_requests_that_no_table_can_hold_takes_the_model_along() -> None:
    """Requests without a price are not counted, so their charge would be lost; at 0 there is none."""
    lines, reports = assembled(*priced(input="1", request="0.0000000000001"))
    assert lines == []
    assert reports == [
        (
            "request: 0.0000000000001 is finer than a table can hold; "
            "left out, requests would bill without it"
        )
    ]
    assert assembled(*priced(input="1", request="0"))[0] == ['m: {input: "1.00"}']


def test_a_contradiction_takes_the_model_along() -> None:
    """Twice the same is none."""
    lines, _ = assembled(*priced(input="1"), *priced(input="1"))
    assert lines == ['m: {input: "1.00"}']
    assert assembled(*priced(input="1"), *priced(input="2")) == (
        [],
        ["input: states input a second time with another price"],
    )


def test_tiers_are_whole() -> None:
    """What is not priced by the token is the same in all of them; what is missing is told."""
    lines, reports = assembled(
        *priced(input="1", cached_input="0.1", output="5", web_search="10", cache_write="2"),
        *priced(start=200_001, input="2", output="8"),
    )
    assert lines == [
        "m:",
        "  tiers:",
        "    - start: 0",
        '      input: "1.00"',
        '      cached_input: "0.10"',
        '      output: "5.00"',
        '      cache_write: "2.00"',
        '      web_search: "10.00"',
        '    - {start: 200001, input: "2.00", output: "8.00", web_search: "10.00"}',
    ]
    assert reports == [
        "tier from 200001: states no cached_input; bills as input",
        "tier from 200001: states no cache_write; such usage is unrated",
    ]


def test_tiers_with_the_same_prices_are_one() -> None:
    """A bound at which nothing changes is none."""
    lines, _ = assembled(*priced(input="1", output="5"), *priced(start=9, input="1", output="5"))
    assert lines == ['m: {input: "1.00", output: "5.00"}']


def test_a_tier_without_input_or_output_takes_the_model_along() -> None:
    """So does a first tier that does not begin at 0."""
    assert assembled(*priced(input="1", output="5"), *priced(start=9, input="2")) == (
        [],
        ["tier from 9: is not stated whole"],
    )
    assert assembled(*priced(start=9, input="2")) == ([], ["tier from 9: is not stated whole"])


def test_variants_stand_beside_plain_prices() -> None:
    """Each is whole; what it lacks of the plain prices is told."""
    lines, reports = assembled(
        *priced(input="1", cached_input="0.1", output="5", web_search="10"),
        *priced(when=PRIORITY, input="2", cached_input="0.2", output="10", web_search="10"),
        *priced(when=BATCH, input="0.5", output="2.5"),
    )
    assert lines == [
        "m:",
        '  input: "1.00"',
        '  cached_input: "0.10"',
        '  output: "5.00"',
        '  web_search: "10.00"',
        "  variants:",
        '    - {when: {batch: true}, input: "0.50", output: "2.50"}',
        "    - when: {service_tier: priority}",
        '      input: "2.00"',
        '      cached_input: "0.20"',
        '      output: "10.00"',
        '      web_search: "10.00"',
    ]
    assert reports == [
        "batch=true: states no cached_input; bills as input",
        "batch=true: states no web_search; such usage is unrated",
    ]


def test_a_variant_that_is_not_whole_is_left_out() -> None:
    """Plain calls keep their prices."""
    plain = priced(input="1", output="5")
    line = ['m: {input: "1.00", output: "5.00"}']
    assert assembled(*plain, *priced(when=BATCH, input="0.5")) == (
        line,
        ["batch=true: is not stated whole: output missing"],
    )
    assert assembled(*plain, *priced(when=BATCH, start=9, input="2")) == (
        line,
        ["batch=true tier from 9: is not stated whole"],
    )


@pytest.mark.parametrize("stated", [[], [at_zero("request", BATCH)]])
def test_a_variant_without_the_charge_for_a_request_is_left_out(stated: list[Stated]) -> None:
    """It would bill without the charge, and nothing would show it."""
    lines, reports = assembled(
        *priced(input="1", output="5", request="0.005"),
        *priced(when=BATCH, input="0.5", output="2.5"),
        *stated,
    )
    assert lines == ['m: {input: "1.00", output: "5.00", request: "0.005"}']
    assert reports[-1] == "batch=true: is not stated whole: request missing"


def test_a_variant_without_the_tiers_of_plain_calls_is_left_out() -> None:
    """Whether its price holds for long requests too is not stated."""
    lines, reports = assembled(
        *priced(input="1", output="5"),
        *priced(start=9, input="2", output="6"),
        *priced(when=BATCH, input="0.5", output="2.5"),
    )
    assert "  variants:" not in lines
    assert reports == ["batch=true: states no tiers, though plain calls have some"]


def test_a_variant_may_cost_the_same_whatever_its_length() -> None:
    """When the source states that for every tier."""
    lines, reports = assembled(
        *priced(input="1", output="5"),
        *priced(start=9, input="2", output="6"),
        *priced(when=PRIORITY, input="3", output="9"),
        *priced(when=PRIORITY, start=9, input="3", output="9"),
    )
    assert lines[-1] == '    - {when: {service_tier: priority}, input: "3.00", output: "9.00"}'
    assert reports == []
