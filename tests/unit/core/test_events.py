"""From a statement to the row of the log."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ledger.core.configuration import Configuration, PublishedMeter
from ledger.core.errors import FieldError
from ledger.core.events import RatedStatement, rate_statement, usage_event
from ledger.core.reading import read_statement
from ledger.core.rows import Dimension, UsageEvent
from ledger.core.statements import Stated, Statement
from pricing import Costs, PublishedTable, Quantities, RateBook, load_rate_table, percentage_meter

RECEIVED = datetime(2026, 11, 20, 12, tzinfo=UTC)
ACME, BETA = 1, 2


def published(
    version_id: int, provider: str, models: str, since: str = "2026-01-01"
) -> PublishedTable:
    """A rate table of some models."""
    text = (
        f'provider: {provider}\nversion: "{since}"\neffective_from: {since}T00:00:00Z\n'
        f"currency: USD\nsource: a test\nmodels:\n{models}"
    )
    return PublishedTable(version_id, load_rate_table(text, "test.yaml"))


BOOK = RateBook(
    [
        published(1, "fw", '  llama: {input: "0.90", output: "0.90"}\n  old: {input: "1", output: "1"}\n'),
        published(2, "fw", '  llama: {input: "1", cached_input: "0.5", output: "2"}\n', "2026-10-01"),
        published(3, "oa", '  gpt: {input: "1", output: "1"}\n  both: {input: "1", output: "1"}\n'),
        published(4, "xx", '  both: {input: "1", output: "1"}\n'),
        published(5, "mm",
            '  pictures: {image: "0.01", input: "1", output: "1"}\n  dear: {input: "100000"}\n'),
    ]
)  # fmt: skip
CONFIGURATION = Configuration(
    epoch=1,
    book=BOOK,
    meters={
        11: PublishedMeter(11, percentage_meter("tenth", 1, "10")),
        12: PublishedMeter(12, percentage_meter("half", 1, "50")),
        13: PublishedMeter(13, percentage_meter("huge", 1, "1000")),
    },
    meter_slugs={ACME: "tenth"},
    limits={},
)


def read(**fields: Any) -> Statement:
    """The statement of a record of November 2026."""
    names = {"request_id": "r1", "customer_id": "acme", "timestamp": "2026-11-01T00:00:00Z"}
    statement = read_statement(json.dumps(names | fields).encode(), RECEIVED)
    assert isinstance(statement, Statement), statement
    return statement


def rated(customer: int = ACME, **fields: Any) -> RatedStatement:
    """It with its price."""
    answer = rate_statement(read(**fields), customer, CONFIGURATION)
    assert isinstance(answer, RatedStatement), answer
    return answer


def test_a_statement_gets_its_cost_its_fee_and_what_it_was_priced_by() -> None:
    """8 uncached at 1, 2 cached at 0.5, 3 output at 2 per million; 10 % of it."""
    answer = rated(model="llama", input_tokens=10, cached_input_tokens=2, output_tokens=3)
    assert answer.costs == Costs(8_000_000, 1_000_000, 6_000_000)
    assert answer.fee_pico == 1_500_000
    assert answer.spend_pico == 16_500_000
    assert answer.dimension == Dimension("fw", "llama", "managed", None, False, 2, 11)
    assert (answer.rate_version, answer.meter_slug) == ("2026-10-01", "tenth")
    assert (answer.is_metered, answer.is_unrated) == (True, False)


def test_byok_owes_the_fee_alone() -> None:
    """The cost stays as a memo."""
    answer = rated(model="llama", input_tokens=10, provider_key_type="byok")
    assert answer.costs == Costs(10_000_000, 0, 0)
    assert answer.spend_pico == answer.fee_pico == 1_000_000


@pytest.mark.parametrize(
    ("customer", "stated", "slug", "fee_pico"),
    [
        (ACME, None, "tenth", 1_000_000),
        (ACME, "half", "half", 5_000_000),
        (BETA, None, None, 0),
        (BETA, "half", "half", 5_000_000),
    ],
)
def test_the_meter_is_the_stated_one_else_the_customer_s_else_none(
    customer: int, stated: str | None, slug: str | None, fee_pico: int
) -> None:
    """None means no fee."""
    answer = rated(customer, model="llama", input_tokens=10, meter_slug=stated)
    assert (answer.meter_slug, answer.fee_pico) == (slug, fee_pico)
    assert (answer.dimension.meter_version is None) is (slug is None)


@pytest.mark.parametrize(
    ("fields", "provider"),
    [
        ({"model": "llama"}, "fw"),
        ({"model": "gpt"}, "oa"),
        ({"model": "gpt", "provider": "fw"}, "fw"),  # stated goes first
        ({"model": "gpt", "endpoint": "POST https://api.fireworks.ai/"}, "fireworks"),
        ({"model": "both"}, None),  # two list it
        ({"model": "old"}, None),  # no table in force lists it
        ({"model": "old", "timestamp": "2026-09-30T23:59:59.999999Z"}, "fw"),
        ({"model": "nobody's"}, None),
        ({}, None),
    ],
)
def test_the_provider_is_stated_or_the_only_one_that_lists_the_model(
    fields: dict[str, Any], provider: str | None
) -> None:
    """None or several: it stays unknown, nothing is guessed."""
    assert rated(**fields).dimension.provider == provider


@pytest.mark.parametrize(
    ("fields", "is_unrated"),
    [
        ({"model": "llama", "input_tokens": 1}, False),
        ({"model": "llama", "input_tokens": 1, "service_tier": "standard"}, False),
        ({"model": "llama", "input_tokens": 1, "service_tier": "default"}, False),
        ({"model": "llama", "input_tokens": 1, "batch": False}, False),
        ({"model": "pictures", "images": 2}, False),
        ({"model": "llama"}, False),  # nothing used costs nothing
        ({}, True),  # no model
        ({"provider": "fw"}, True),
        ({"model": "llama", "provider": "nobody"}, True),
        ({"model": "old", "provider": "fw"}, True),  # only an older table lists it
        ({"model": "llama", "timestamp": "2025-12-31T23:59:59Z"}, True),  # before any table
        ({"model": "llama", "images": 1}, True),  # a quantity without a price
        ({"model": "llama", "input_tokens": 1, "service_tier": "priority"}, True),
        ({"model": "llama", "input_tokens": 1, "batch": True}, True),
    ],
)
def test_without_a_rate_a_completed_request_is_unrated(
    fields: dict[str, Any], *, is_unrated: bool
) -> None:
    """Money is null then, never zero in silence; it owes nothing yet."""
    answer = rated(**fields)
    assert answer.is_unrated is is_unrated
    assert (
        (answer.costs is None)
        is (answer.fee_pico is None)
        is (answer.rate_version is None)
        is is_unrated
    )
    if is_unrated:
        assert answer.spend_pico == 0
        assert answer.dimension.rate_version is None


@pytest.mark.parametrize("status", ["pending", "error"])
def test_what_has_not_completed_counts_nothing(status: str) -> None:
    """Neither quantities nor money, and it is not unrated."""
    answer = rated(model="llama", input_tokens=10, status=status)
    assert answer.quantities == Quantities()
    assert (answer.costs, answer.fee_pico, answer.spend_pico) == (None, None, 0)
    assert (answer.is_metered, answer.is_unrated) == (False, False)


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"meter_slug": "nobody's"}, "meter_slug", "unknown_meter"),
        ({"model": "dear", "input_tokens": 10**12}, "input_tokens", "amount_out_of_range"),
        (
            {"model": "dear", "input_tokens": 10**7, "meter_slug": "huge"},
            "input_tokens",
            "amount_out_of_range",
        ),
    ],
)
def test_faults_that_only_show_at_rating_are_refusals(
    fields: dict[str, Any], field: str | None, code: str
) -> None:
    """A cost or fee beyond what an amount holds is refused by name, never wrapped around."""
    fault = rate_statement(read(**fields), BETA, CONFIGURATION)
    assert isinstance(fault, FieldError)
    assert (fault.field, fault.code) == (field, code)


def row(answer: RatedStatement) -> dict[str, Any]:
    """The row of a first sighting, by column."""
    event = usage_event(answer, ACME, dimension=5, lane=3, batch=9)
    assert isinstance(event, UsageEvent)
    return event._asdict()


def test_a_completed_request_is_revision_1() -> None:
    """One request, its quantities, its amounts by kind."""
    answer = rated(model="pictures", input_tokens=10, output_tokens=3, images=2, cost="0.5")
    assert row(answer) == {
        "request_id": answer.statement.key.bits,
        "occurred_at": datetime(2026, 11, 1, tzinfo=UTC),
        "uncached_input_tokens": 10,
        "cached_input_tokens": 0,
        "output_tokens": 3,
        "input_pico": 10_000_000,
        "cached_input_pico": 0,
        "output_pico": 3_000_000,
        "other_pico": 20_000_000_000,
        "fee_pico": 2_001_300_000,
        "batch": 9,
        "lane": 3,
        "customer": ACME,
        "dimension": 5,
        "stated": Stated.MODEL | Stated.INPUT_TOKENS | Stated.OUTPUT_TOKENS | Stated.IMAGES
            | Stated.TIMESTAMP,
        "kind": "usage",
        "revision": 1,
        "requests": 1,
        "unrated": 0,
        "opaque_id": "r1",
        "other_units": '{"images":[2,20000000000]}',
        "reported_cost": Decimal("0.5"),
        "text_digest": None,
    }  # fmt: skip


def test_an_unrated_request_counts_with_amounts_of_null() -> None:
    """Its other units wait for a price."""
    columns = row(rated(model="nobody's", input_tokens=10, images=2, gpu_seconds="0.5"))
    assert (columns["revision"], columns["requests"], columns["unrated"]) == (1, 1, 1)
    amounts = [columns[name] for name in columns if name.endswith("_pico")]
    assert amounts == [None] * 5
    assert columns["other_units"] == '{"gpu_seconds":[500000,null],"images":[2,null]}'


@pytest.mark.parametrize("status", ["pending", "error"])
def test_a_first_sighting_is_revision_0(status: str) -> None:
    """It counts nothing."""
    columns = row(rated(model="llama", input_tokens=10, images=1, status=status))
    assert (columns["kind"], columns["revision"]) == (status, 0)
    assert [columns[name] for name in ("requests", "unrated", "uncached_input_tokens")] == [0, 0, 0]
    assert columns["other_units"] is None


def test_tokens_alone_leave_the_other_amount_at_zero() -> None:
    """Rated: zero, not null."""
    assert row(rated(model="llama", input_tokens=10))["other_pico"] == 0
