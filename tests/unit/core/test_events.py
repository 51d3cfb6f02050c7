"""From a statement to the row of the log."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ledger.core.configuration import Configuration, PublishedMeter
from ledger.core.errors import FieldError
from ledger.core.events import event_text, spend_pico, usage_event
from ledger.core.rating import RatedStatement, rate_again, rate_statement
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


FORMS = """\
  tiered:
    tiers:
      - {start: 0, input: "1", output: "2"}
      - {start: 1000, input: "2", output: "4"}
    variants:
      - {when: {batch: true}, input: "0.5", output: "1"}
      - {when: {service_tier: priority}, input: "3", cache_write: "4", output: "6"}
      - {when: {region: us, accelerator: h100}, input: "7"}
  charged: {input: "1", request: "0.005"}
  enormous: {request: "9223372", input: "1", output: "1"}
aliases: {newest: tiered, charged-too: charged}
fallback: {"tiered-*": tiered}
"""
BOOK = RateBook(
    [
        published(1, "fw", '  llama: {input: "0.90", output: "0.90"}\n  old: {input: "1", output: "1"}\n'),
        published(2, "fw", '  llama: {input: "1", cached_input: "0.5", output: "2"}\n', "2026-10-01"),
        published(3, "oa", '  gpt: {input: "1", output: "1"}\n  both: {input: "1", output: "1"}\n'),
        published(4, "xx", '  both: {input: "1", output: "1"}\n'),
        published(5, "mm",
            '  pictures: {image: "0.01", input: "1", output: "1"}\n  dear: {input: "100000"}\n'),
        published(6, "gg", FORMS),
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


@pytest.mark.parametrize(
    ("fields", "cost_pico"),
    [
        ({"input_tokens": 999}, 999_000_000),
        ({"input_tokens": 1000}, 2_000_000_000),
        ({"input_tokens": 1000, "cached_input_tokens": 1000}, 2_000_000_000),
        ({"input_tokens": 999, "output_tokens": 1000}, 2_999_000_000),
        ({"input_tokens": 1000, "output_tokens": 1}, 2_004_000_000),
        ({"input_tokens": 10, "batch": True}, 5_000_000),
        ({"input_tokens": 10, "service_tier": "batch"}, 5_000_000),
        ({"input_tokens": 10, "service_tier": "default"}, 10_000_000),
        ({"input_tokens": 10, "service_tier": "priority"}, 30_000_000),
        ({"input_tokens": 10, "service_tier": "priority", "cache_write_tokens": 10}, 40_000_000),
        ({"input_tokens": 10, "region": "us", "accelerator": "h100"}, 70_000_000),
        ({"output_tokens": 10, "reasoning_tokens": 9}, 20_000_000),
        ({"input_tokens": 10, "region": "us"}, None),
        ({"input_tokens": 10, "service_tier": "priority", "batch": True}, None),
        ({"input_tokens": 10, "cache_write_tokens": 1}, None),
    ],
)
def test_the_price_is_that_of_the_combination_and_the_tier(
    fields: dict[str, Any], cost_pico: int | None
) -> None:
    """The whole request by the tier of its input; what has no prices of its own is unrated."""
    answer = rated(model="tiered", **fields)
    assert (answer.costs and answer.costs.total_pico) == cost_pico
    assert answer.dimension.billed_as is None


@pytest.mark.parametrize(
    ("fields", "provider", "billed_as"),
    [
        ({"model": "newest"}, "gg", "tiered"),
        ({"model": "tiered"}, "gg", None),
        ({"model": "tiered-2", "provider": "gg"}, "gg", "tiered"),
        ({"model": "tiered-2"}, None, None),  # a pattern tells no provider
        ({"model": "Tiered-2", "provider": "gg"}, "gg", None),
    ],
)
def test_another_name_bills_as_the_listed_model(
    fields: dict[str, Any], provider: str | None, billed_as: str | None
) -> None:
    """The event keeps the model it states, and beside it the one whose price counts."""
    answer = rated(input_tokens=10, **fields)
    assert answer.dimension.model == fields["model"]
    assert (answer.dimension.provider, answer.dimension.billed_as) == (provider, billed_as)
    assert answer.is_unrated is (billed_as is None and fields["model"] != "tiered")


def test_how_it_was_called_is_kept_with_the_event() -> None:
    """In the words of the sender, also where no price is known for it."""
    answer = rated(
        model="tiered", service_tier="standard", region="eu", accelerator="x", batch=True
    )
    assert answer.is_unrated
    assert answer.dimension == Dimension(
        "gg", "tiered", "managed", "standard", True, None, 11, "eu", "x", None
    )


@pytest.mark.parametrize("status", ["pending", "error"])
def test_an_unmetered_sighting_keeps_how_it_was_called(status: str) -> None:
    """Nothing is rated, so it bills as nothing."""
    answer = rated(model="newest", status=status, region="us", meter_slug=None)
    assert (answer.dimension.provider, answer.dimension.region) == ("gg", "us")
    assert (answer.dimension.billed_as, answer.meter_slug) == (None, "tenth")
    assert rated(BETA, model="newest", status=status).meter_slug is None


def test_a_charge_for_each_request_is_a_unit_of_its_own() -> None:
    """It is counted where it has a price, nothing else used; the meter's share is of all of it."""
    answer = rated(model="charged-too", input_tokens=10)
    assert answer.costs == Costs(10_000_000, 0, 0, {"billable_requests": 5_000_000_000})
    assert answer.quantities == Quantities(10, other={"billable_requests": 1})
    assert answer.fee_pico == 501_000_000
    assert answer.statement.quantities == Quantities(10)
    assert row(answer)["other_units"] == '{"billable_requests":[1,5000000000]}'
    assert row(rated(model="charged"))["other_pico"] == 5_000_000_000


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"model": "enormous", "output_tokens": 10**12}, "output_tokens"),
        (
            {"model": "enormous", "output_tokens": 10**12, "reasoning_tokens": 10**12 - 1},
            "output_tokens",
        ),
        ({"model": "enormous", "input_tokens": 10**12, "cached_input_tokens": 9}, "input_tokens"),
    ],
)
def test_the_largest_quantity_is_blamed_for_an_amount_that_is_too_large(
    fields: dict[str, Any], field: str
) -> None:
    """A whole goes before its parts."""
    fault = rate_statement(read(**fields), BETA, CONFIGURATION)
    assert isinstance(fault, FieldError)
    assert (fault.field, fault.code) == (field, "amount_out_of_range")


def test_a_published_version_prices_again_whatever_is_in_force() -> None:
    """The version that is asked for; the meter is the one handed in, and none charges nothing."""
    statement = read(model="llama", input_tokens=10)
    dimension = Dimension("fw", "llama", "managed", None, False, 2, None)
    by = {
        version: rate_again(statement, dimension, None, BOOK, version)
        for version in (1, 2, 3, None)
    }
    costs = {
        version: each.costs and each.costs.total_pico
        for version, each in by.items()
        if isinstance(each, RatedStatement)
    }
    assert costs == {1: 9_000_000, 2: 10_000_000, 3: None, None: 10_000_000}


def test_words_get_a_salt_and_none_where_there_are_none() -> None:
    """A sighting that has not completed keeps its words as revision 0."""
    salts = iter([b"one", b"two", b"three"])
    assert event_text(read(), ACME, lambda: next(salts)) is None
    made = event_text(read(metadata={"a": "b"}, response_id="r"), ACME, lambda: next(salts))
    assert made is not None
    text, digest = made
    assert (text.revision, text.salt, text.metadata, text.fields) == (1, b"one", '{"a":"b"}', None)
    assert len(digest) == 32
    again = event_text(read(status="error", trace=1), ACME, lambda: next(salts))
    assert again is not None
    assert (again[0].revision, again[0].metadata, again[0].fields) == (0, None, '{"trace":1}')


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


@pytest.mark.parametrize(
    ("key_type", "owed_pico"), [("managed", 2_033_300_000), ("byok", 2_001_300_000)]
)
def test_what_a_row_owes_is_signed_as_the_row_is(key_type: str, owed_pico: int) -> None:
    """Cost and fee, or the fee alone; an unrated row owes nothing."""
    columns = row(rated(model="pictures", input_tokens=20, output_tokens=12, images=0))
    event = UsageEvent(**columns | {"fee_pico": 2_001_300_000})
    assert spend_pico(event, key_type) == owed_pico
    reversed_row = event._replace(
        fee_pico=-2_001_300_000, input_pico=-20_000_000, output_pico=-12_000_000
    )
    assert spend_pico(reversed_row, key_type) == -owed_pico
    unrated = UsageEvent(**row(rated(model="nobody's", input_tokens=10)))
    assert spend_pico(unrated, key_type) == 0
