"""What a record says, in one form; what contradicts itself is refused."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.core.endpoints import PROVIDER_BY_HOST, provider_of_endpoint
from ledger.core.reading import read_statement
from ledger.core.records import RequestRecord
from ledger.core.statements import Refusal, Stated, Statement, Status
from ledger.core.usage.stated import OTHER_FIELDS, QUANTITY_FIELDS
from pricing import BILLABLE_REQUESTS, INPUT_PARTS, OUTPUT_PARTS, Quantities
from pricing.units import Unit

RECEIVED = datetime(2026, 11, 20, 12, tzinfo=UTC)
ULID = "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ"
ULID_TIME = datetime(2025, 10, 16, 22, 38, 50, 841_000, tzinfo=UTC)
NAMES = {"request_id": "r1", "customer_id": "acme"}


def read(**fields: Any) -> Statement:
    """The statement of a record of customer acme with some fields."""
    statement = read_statement(json.dumps(NAMES | fields).encode(), RECEIVED)
    assert isinstance(statement, Statement), statement
    return statement


def faults(**fields: Any) -> list[tuple[str | None, str]]:
    """Field and code of everything that is wrong with it."""
    refusal = read_statement(json.dumps(NAMES | fields).encode(), RECEIVED)
    assert isinstance(refusal, Refusal), refusal
    return [(error.field, error.code) for error in refusal.errors]


def test_a_record_that_says_nothing_is_a_completed_request_of_now() -> None:
    """Every default at once."""
    assert read() == Statement(
        request_id="r1",
        key=read().key,
        customer_id="acme",
        status=Status.COMPLETED,
        occurred_at=RECEIVED,
        stated=0,
        model=None,
        provider=None,
        key_type="managed",
        quantities=Quantities(),
        service_tier=None,
        is_batch=False,
        region=None,
        accelerator=None,
        meter_slug=None,
        response_id=None,
        metadata=None,
        reported_cost=None,
        fields=None,
    )


@pytest.mark.parametrize(
    ("spoken", "plain"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 7}, {"input_tokens": 5, "output_tokens": 7}),
        ({"occurred_at": "2026-10-01T00:00:00Z"}, {"timestamp": "2026-10-01T00:00:00Z"}),
        ({"provider_key_type": "unmanaged"}, {"provider_key_type": "byok"}),
        ({"provider_key_type": "stored"}, {"provider_key_type": "byok"}),
        ({"input_tokens": 5, "prompt_tokens": 5}, {"input_tokens": 5}),
        (
            {"timestamp": "2026-10-01T00:00:00Z", "occurred_at": "2026-10-01T02:00:00+02:00"},
            {"timestamp": "2026-10-01T00:00:00Z"},
        ),
    ],
)
def test_an_alias_says_the_same(spoken: dict[str, Any], plain: dict[str, Any]) -> None:
    """Also beside the field itself, as long as both agree."""
    assert read(**spoken) == read(**plain)


def test_a_connection_is_a_customer() -> None:
    """Lava's earlier word; it may stand beside the later one if both agree."""
    for names in ({"connection_id": "acme"}, {"connection_id": "acme", "customer_id": "acme"}):
        raw = json.dumps({"request_id": "r1"} | names).encode()
        assert read_statement(raw, RECEIVED) == read()


@pytest.mark.parametrize(
    ("usage", "quantities"),
    [
        ({"input_tokens": 10, "output_tokens": 4}, Quantities(10, 0, 4)),
        ({"input_tokens": 10, "cached_input_tokens": 3}, Quantities(7, 3, 0)),
        ({"input_tokens": 10, "cached_input_tokens": 10}, Quantities(0, 10, 0)),
        ({"model_usage": {"input_tokens": 10, "output_tokens": 4}}, Quantities(10, 0, 4)),
        ({"model_usage": {"input_tokens": 10, "cached_input_tokens": 3}}, Quantities(7, 3, 0)),
        ({"model_usage": {"input_seconds": "1.5"}}, Quantities(other={"input_seconds": 1_500_000})),
        ({"model_usage": {"input_characters": 9}}, Quantities(other={"input_characters": 9})),
        ({"model_usage": None, "usage": None}, Quantities()),
        ({"usage": {"prompt_tokens": 10, "completion_tokens": 4}}, Quantities(10, 0, 4)),
        ({"usage": {"prompt_tokens": 10, "prompt_tokens_details": None}}, Quantities(10, 0, 0)),
        (
            {"usage": {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 3}}},
            Quantities(7, 3, 0),
        ),
        (  # three sources that complete one another
            {
                "images": 2,
                "model_usage": {"input_tokens": 10},
                "usage": {"prompt_tokens": 10, "completion_tokens": 4},
            },
            Quantities(10, 0, 4, {"images": 2}),
        ),
        ({"input_seconds": 1, "gpu_seconds": 0}, Quantities(other={"input_seconds": 1_000_000})),
        (  # each part is taken out of its whole
            {
                "input_tokens": 100,
                "cached_input_tokens": 10,
                "cache_write_tokens": 20,
                "audio_input_tokens": 5,
                "output_tokens": 50,
                "reasoning_tokens": 30,
            },
            Quantities(
                65,
                10,
                20,
                {"cache_write_tokens": 20, "audio_input_tokens": 5, "reasoning_tokens": 30},
            ),
        ),
        (  # Anthropic's input is what is neither read from the cache nor written to it
            {
                "usage": {
                    "input_tokens": 3,
                    "cache_read_input_tokens": 10,
                    "cache_creation_input_tokens": 20,
                    "output_tokens": 7,
                }
            },
            Quantities(3, 10, 7, {"cache_write_tokens": 20}),
        ),
        (  # Gemini's thoughts are no part of its candidates
            {"usage": {"promptTokenCount": 8, "candidatesTokenCount": 5, "thoughtsTokenCount": 7}},
            Quantities(8, 0, 5, {"reasoning_tokens": 7}),
        ),
        (
            {"web_searches": 2, "image_steps": 30, "rerank_searches": 1, "training_tokens": 9},
            Quantities(
                other={
                    "web_searches": 2,
                    "image_steps": 30,
                    "rerank_searches": 1,
                    "training_tokens": 9,
                }
            ),
        ),
        (
            {"output_seconds": "0.000001", "output_characters": 8},
            Quantities(other={"output_seconds": 1, "output_characters": 8}),
        ),
    ],
)
def test_usage_becomes_disjoint_quantities(usage: dict[str, Any], quantities: Quantities) -> None:
    """Cached input is taken out of input; seconds are whole microseconds; zero is not kept."""
    assert read(**usage).quantities == quantities


GENERATION_A = {
    "request_id": ULID,
    "connection_id": "con_1",
    "product_id": "prd_1",
    "provider": "fireworks",
    "provider_key_type": "unmanaged",
    "model": "m",
    "endpoint": "POST https://api.fireworks.ai/inference/v1/chat/completions",
    "model_usage": {
        "input_tokens": 845,
        "output_tokens": 412,
        "total_tokens": 1257,
        "total_cost": "0.0011313000",
        "payer": "wallet",
    },
    "fee": {"amount": "0.0001131300", "rate_type": "percentage", "token_basis": "input+output"},
    "service_charge": {"amount": "0.0000021500", "payer": "merchant"},
    "total_request_cost": "0.0012444300",
    "total_wallet_cost": "0.0012444300",
    "total_merchant_cost": "0.0000021500",
    "metadata": {"user_id": "7"},
    "timestamp": "2025-10-16T22:38:52Z",
    "created_at": "2025-10-16T22:38:50Z",
}
GENERATION_B = {**GENERATION_A, "status": "completed", "meter_id": "prd_1"}
del GENERATION_B["product_id"]
GENERATION_C = {
    "request_id": ULID,
    "status": "completed",
    "customer_id": "con_1",
    "meter_id": "prd_1",
    "provider": "fireworks",
    "provider_key_type": "unmanaged",
    "model": "m",
    "endpoint": "POST https://api.fireworks.ai/inference/v1/chat/completions",
    "model_usage": {"input_tokens": 845, "output_tokens": 412, "total_cost": "0.0011313000"},
    "cost": "0.0011313000",
    "charge": {"amount": "0.0001131300", "rate_type": "percentage", "breakdown": []},
    "metadata": {"user_id": "7"},
    "timestamp": "2025-10-16T22:38:52Z",
    "created_at": "2025-10-16T22:38:50Z",
}


def test_three_generations_of_a_lava_record_are_one_statement() -> None:
    """Only what came along unread differs between them."""
    statements = []
    for record in (GENERATION_A, GENERATION_B, GENERATION_C):
        statement = read_statement(json.dumps(record).encode(), RECEIVED)
        assert isinstance(statement, Statement), statement
        statements.append(msgspec.structs.replace(statement, fields=None))
    assert statements[0] == statements[1] == statements[2]
    first = statements[0]
    assert (first.customer_id, first.key_type) == ("con_1", "byok")
    assert first.quantities == Quantities(845, 0, 412)
    assert first.reported_cost == Decimal("0.0011313000")
    assert first.occurred_at == datetime(2025, 10, 16, 22, 38, 52, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"input_tokens": 5, "prompt_tokens": 6}, ("input_tokens", "contradiction")),
        ({"output_tokens": 5, "completion_tokens": 6}, ("output_tokens", "contradiction")),
        (
            {"input_tokens": 5, "model_usage": {"input_tokens": 6}},
            ("input_tokens", "contradiction"),
        ),
        (
            {"output_tokens": 0, "model_usage": {"output_tokens": 6}},
            ("output_tokens", "contradicti"),
        ),
        ({"input_tokens": 5, "usage": {"prompt_tokens": 6}}, ("input_tokens", "contradiction")),
        ({"connection_id": "another"}, ("customer_id", "contradiction")),
        (
            {"timestamp": "2026-10-01T00:00:00Z", "occurred_at": "2026-10-01T00:00:01Z"},
            ("timestamp", "contradiction"),
        ),
        ({"cached_input_tokens": 1}, ("cached_input_tokens", "exceeds_input_tokens")),
        (
            {"input_tokens": 5, "cached_input_tokens": 6},
            ("cached_input_tokens", "exceeds_input_tokens"),
        ),
        (
            {"usage": {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 6}}},
            ("usage", "usage_does_not_add_up"),
        ),
        ({"input_seconds": 1.1234567}, ("input_seconds", "too_precise")),
        ({"output_seconds": "1.0000000"}, ("output_seconds", "too_precise")),
        ({"gpu_seconds": "1e-400000000"}, ("gpu_seconds", "too_precise")),
        ({"input_seconds": -1}, ("input_seconds", "out_of_range")),
        ({"input_seconds": "1000000000000.000001"}, ("input_seconds", "out_of_range")),
        ({"input_seconds": "NaN"}, ("input_seconds", "out_of_range")),
        ({"model_usage": {"input_seconds": "sNaN"}}, ("model_usage", "out_of_range")),
        ({"model_usage": {"input_tokens": -1}}, ("model_usage", "invalid_usage")),
        ({"model_usage": {"input_tokens": 1.5}}, ("model_usage", "invalid_usage")),
        ({"model_usage": 5}, ("model_usage", "invalid_usage")),
        ({"usage": {"tokens": 5}}, ("usage", "unknown_usage_shape")),
        ({"usage": {"prompt_tokens": -5}}, ("usage", "usage_does_not_add_up")),
        ({"usage": {"prompt_tokens": 5.0}}, ("usage", "invalid_usage")),
        (  # its parts fit into the object's input, and not into what is left of it elsewhere
            {"reasoning_tokens": 3, "usage": {"prompt_tokens": 5, "completion_tokens": 2}},
            ("reasoning_tokens", "exceeds_output_tokens"),
        ),
        *(({"input_tokens": 5, name: 6}, (name, "exceeds_input_tokens")) for name in INPUT_PARTS),
        *(
            ({"output_tokens": 5, name: 6}, (name, "exceeds_output_tokens"))
            for name in OUTPUT_PARTS
        ),
        (
            {"input_tokens": 5, "cached_input_tokens": 3, "cache_write_tokens": 3},
            ("cached_input_tokens", "exceeds_input_tokens"),
        ),
        ({"cache_write_tokens": 1}, ("cache_write_tokens", "exceeds_input_tokens")),
        ({"images": 10**12 + 1}, ("images", "out_of_range")),
        ({"image_steps": -1}, ("image_steps", "out_of_range")),
        ({"web_searches": 1.5}, ("web_searches", "wrong_type")),
        ({"training_tokens": "1"}, ("training_tokens", "wrong_type")),
        ({"region": ""}, ("region", "wrong_length")),
        ({"accelerator": "a" * 65}, ("accelerator", "wrong_length")),
        ({"batch": "true"}, ("batch", "wrong_type")),
        (
            {
                "batch": False,
                "usage": {"input_tokens": 1, "service_tier": "batch", "cache_read_input_tokens": 0},
            },
            ("batch", "contradiction"),
        ),
        ({"service_tier": "batch", "batch": False}, ("batch", "contradiction")),
        (
            {
                "region": "eu",
                "usage": {"input_tokens": 1, "inference_geo": "us", "cache_read_input_tokens": 0},
            },
            ("region", "contradiction"),
        ),
        ({"usage": [5]}, ("usage", "unknown_usage_shape")),
        ({"reported_cost": "1e18"}, ("reported_cost", "out_of_range")),
        ({"reported_cost": "0E+999999999"}, ("reported_cost", "out_of_range")),
        ({"cost": "0.0000000000000000001"}, ("cost", "out_of_range")),
        ({"cost": "Infinity"}, ("cost", "out_of_range")),
        ({"model_usage": {"total_cost": "1e18"}}, ("model_usage", "out_of_range")),
        ({"metadata": {str(n): "v" for n in range(101)}}, ("metadata", "too_many_pairs")),
        ({"timestamp": "2026-10-01T00:00:00"}, ("timestamp", "invalid_time")),
        ({"occurred_at": "yesterday"}, ("occurred_at", "invalid_time")),
        ({"created_at": "2026-02-30T00:00:00Z"}, ("created_at", "invalid_time")),
        ({"timestamp": "9999-12-31T23:59:59Z"}, ("timestamp", "in_the_future")),
        ({"timestamp": "2026-11-21T12:00:00.000001Z"}, ("timestamp", "in_the_future")),
        ({"timestamp": "0001-12-31T23:59:59.999999Z"}, ("timestamp", "out_of_range")),
        ({"timestamp": "0002-01-01T00:59:59+01:00"}, ("timestamp", "out_of_range")),
        ({"created_at": "2026-11-22T12:00:00Z"}, ("timestamp", "in_the_future")),
        (
            {"request_id": "req_31K7QJT2YSVV0YR2NPK4Z2GRXQ"[:4] + "02" + "Z" * 24},
            ("timestamp", "in_"),
        ),
    ],
)
def test_what_cannot_be_true_is_refused(fields: dict[str, Any], fault: tuple[str, str]) -> None:
    """Nothing is guessed: the field is named and the record is kept out."""
    [(field, code)] = faults(**fields)
    assert field == fault[0]
    assert code.startswith(fault[1])


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"input_seconds": "-1"}, "got a negative number"),
        ({"input_seconds": "1.1234567"}, "got 7"),
        ({"cost": "NaN"}, "got a number that is not finite"),
        ({"timestamp": "soon"}, "got a string of 4 characters"),
        ({"metadata": {str(n): "v" for n in range(101)}}, "got 101 pairs"),
    ],
)
def test_a_refusal_tells_the_kind_beside_the_rule(fields: dict[str, Any], kind: str) -> None:
    """`must be ..., got ...`."""
    refusal = read_statement(json.dumps(NAMES | fields).encode(), RECEIVED)
    assert isinstance(refusal, Refusal)
    assert refusal.errors[0].detail.startswith("must be ")
    assert refusal.errors[0].detail.endswith(kind)


def test_every_fault_is_found_at_once_and_told_once() -> None:
    """The two readers of `model_usage` do not both complain."""
    assert faults(
        connection_id="x", timestamp="x", model_usage=5, cost="1e18", metadata={"a": "b"}
    ) == [
        ("customer_id", "contradiction"),
        ("timestamp", "invalid_time"),
        ("model_usage", "invalid_usage"),
    ]


def test_a_record_needs_a_customer() -> None:
    """Nobody would pay for it otherwise."""
    refusal = read_statement(b'{"request_id": "r1"}', RECEIVED)
    assert isinstance(refusal, Refusal)
    assert [(error.field, error.code) for error in refusal.errors] == [("customer_id", "missing")]


@pytest.mark.parametrize(
    ("fields", "occurred_at"),
    [
        ({"timestamp": "2026-01-02T00:00:00Z", "created_at": "2026-01-01T00:00:00Z"}, "2026-01-02"),
        ({"occurred_at": "2026-01-02T00:00:00Z", "created_at": "nonsense"}, "2026-01-02"),
        ({"created_at": "2026-01-01T00:00:00Z", "request_id": ULID}, "2026-01-01"),
    ],
)
def test_the_time_is_the_first_that_is_stated(fields: dict[str, str], occurred_at: str) -> None:
    """`timestamp`, else `created_at`, else the id, else receipt."""
    assert read(**fields).occurred_at.date().isoformat() == occurred_at


def test_without_a_stated_time_the_id_tells_it_else_receipt() -> None:
    """A canonical id begins with its time, any other tells none."""
    assert read(request_id=ULID).occurred_at == ULID_TIME
    assert read(request_id=ULID.lower()).occurred_at == RECEIVED


def test_the_first_time_is_1970() -> None:
    """Nothing was requested before, and no window of a limit begins before."""
    assert read(timestamp="1970-01-01T00:00:00Z").occurred_at == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_day_ahead_is_still_taken() -> None:
    """Clocks differ; more than 24 hours is no clock."""
    statement = read(timestamp="2026-11-21T12:00:00.0000009Z")
    assert statement.occurred_at == RECEIVED + timedelta(hours=24)


@pytest.mark.parametrize(
    ("fields", "stated"),
    [
        ({}, Stated(0)),
        ({"model": "m"}, Stated.MODEL),
        ({"provider": "p"}, Stated.PROVIDER),
        ({"provider_key_type": "managed"}, Stated.KEY_TYPE),
        ({"input_tokens": 0}, Stated.INPUT_TOKENS),
        ({"prompt_tokens": 1}, Stated.INPUT_TOKENS),
        ({"input_tokens": 1, "cached_input_tokens": 0}, Stated.INPUT_TOKENS | Stated.CACHED_INPUT_TOKENS),
        ({"model_usage": {"output_tokens": 1}}, Stated.OUTPUT_TOKENS),
        ({"usage": {"prompt_tokens": 1}}, Stated.INPUT_TOKENS),
        ({"input_seconds": 0}, Stated.INPUT_SECONDS),
        ({"output_seconds": 1}, Stated.OUTPUT_SECONDS),
        ({"input_characters": 1}, Stated.INPUT_CHARACTERS),
        ({"output_characters": 1}, Stated.OUTPUT_CHARACTERS),
        ({"images": 1}, Stated.IMAGES),
        ({"gpu_seconds": 1}, Stated.GPU_SECONDS),
        ({"service_tier": "priority"}, Stated.SERVICE_TIER),
        ({"batch": False}, Stated.BATCH),
        ({"region": "us"}, Stated.REGION),
        ({"accelerator": "h100"}, Stated.ACCELERATOR),
        *(({name: 0}, Stated[name.upper()]) for name in OTHER_FIELDS),
        ({"meter_slug": "s"}, Stated.METER),
        ({"timestamp": "2026-01-01T00:00:00Z"}, Stated.TIMESTAMP),
        ({"occurred_at": "2026-01-01T00:00:00Z"}, Stated.TIMESTAMP),
        ({"metadata": {}}, Stated.METADATA),
        # What is derived, reported or unknown is not stated.
        ({"created_at": "2026-01-01T00:00:00Z"}, Stated(0)),
        ({"endpoint": "POST https://api.openai.com/v1"}, Stated(0)),
        ({"model": None, "input_tokens": None, "timestamp": None}, Stated(0)),
        ({"reported_cost": "1", "response_id": "x", "status": "completed", "y": 1}, Stated(0)),
    ],
)  # fmt: skip
def test_which_fields_were_stated_is_remembered(fields: dict[str, Any], stated: Stated) -> None:
    """One bit each; stored with the event, they never change their meaning."""
    assert read(**fields).stated == stated


def test_the_bits_are_what_events_already_carry() -> None:
    """Moving one would change the meaning of every stored event."""
    assert [bit.name for bit in Stated] == [
        "MODEL", "PROVIDER", "KEY_TYPE", *(name.upper() for name in QUANTITY_FIELDS[:9]),
        "SERVICE_TIER", "BATCH", "METER", "TIMESTAMP", "METADATA",
        *(name.upper() for name in QUANTITY_FIELDS[9:]), "REGION", "ACCELERATOR",
    ]  # fmt: skip
    assert [bit.value for bit in Stated] == [1 << place for place in range(31)]


def test_units_have_one_name_in_records_and_in_pricing() -> None:
    """A quantity that a record can state is one that a table can price."""
    assert {*QUANTITY_FIELDS, BILLABLE_REQUESTS} == {unit.value for unit in Unit}
    assert set(OTHER_FIELDS) == set(QUANTITY_FIELDS) - {
        "input_tokens", "cached_input_tokens", "output_tokens",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("endpoint", "provider"),
    [
        *((f"POST https://{host}/v1/x", provider) for host, provider in PROVIDER_BY_HOST.items()),
        ("POST https://API.OPENAI.COM:443/v1", "openai"),
        ("https://api.openai.com/v1", "openai"),
        ("POST https://api.openai.com.evil.example/", None),
        ("POST https://example.com/?u=api.openai.com", None),
        ("POST https://[::1", None),
        ("", None),
        (None, None),
    ],
)
def test_the_endpoint_s_host_tells_the_provider(endpoint: str | None, provider: str | None) -> None:
    """Only the whole host does; what is stated goes before it."""
    assert provider_of_endpoint(endpoint) == provider
    assert read(endpoint=endpoint, provider="mine").provider == "mine"
    assert read(endpoint=endpoint).provider == provider


@pytest.mark.parametrize(
    ("fields", "cost"),
    [
        ({"reported_cost": "1.50", "cost": "2"}, "1.50"),
        ({"cost": "0.0581000000", "model_usage": {"total_cost": "3"}}, "0.0581000000"),
        ({"model_usage": {"total_cost": "0.1"}}, "0.1"),
        ({"cost": "-1"}, "-1"),
        (
            {"cost": "999999999999999999.999999999999999999"},
            "999999999999999999.999999999999999999",
        ),
    ],
)
def test_the_reported_cost_is_kept_as_it_was_written(fields: dict[str, Any], cost: str) -> None:
    """Beside ours, digit by digit, never instead of it."""
    assert str(read(**fields).reported_cost) == cost


def test_what_is_not_understood_is_kept_without_its_secrets() -> None:
    """Also Lava's own fields and the endpoint; numbers keep their digits."""
    raw = (
        b'{"request_id": "r1", "customer_id": "acme", "zip": 0.12345678901234567890123456789,'
        b'"nested": {"provider_key": "fw_0123456789abcdef"}, "endpoint": "POST https://x.example",'
        b'"charge": {"Authorization": "Bearer 0123456789abcdef"}}'
    )
    statement = read_statement(raw, RECEIVED)
    assert isinstance(statement, Statement)
    assert statement.fields is not None
    assert "0.12345678901234567890123456789" in statement.fields
    assert "0123456789abcdef" not in statement.fields
    assert json.loads(statement.fields) == {
        "zip": 0.12345678901234567890123456789,
        "nested": {"provider_key": "fw_0… (19 characters)"},
        "charge": {"Authorization": "Bear… (23 characters)"},
        "endpoint": "POST https://x.example",
    }


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (b'{"request_id": "r1", "customer_id": "c", "images": -1}', ("r1", "c")),
        (b'{"request_id": "r1", "connection_id": "c", "images": NaN}', ("r1", "c")),
        (b'{"request_id": "a\\u0000b", "customer_id": "\\ud800"}', ("a\ufffdb", "?")),
        (b'{"request_id": "' + b"r" * 300 + b'"}', ("r" * 255, None)),
        (b'{"request_id": 7, "customer_id": []}', (None, None)),
        (b"[1]", (None, None)),
        (b"{", (None, None)),
        (b"[" * 100_000, (None, None)),
    ],
)
def test_a_refusal_says_whom_it_seems_to_be_about(
    raw: bytes, names: tuple[str | None, str | None]
) -> None:
    """As text that can be stored and searched, whatever came."""
    refusal = read_statement(raw, RECEIVED)
    assert isinstance(refusal, Refusal)
    assert refusal.raw == raw
    assert (refusal.request_id, refusal.customer_id) == names


def test_what_was_called_is_read_and_what_was_noted_about_its_usage_is_kept() -> None:
    """Region and hardware as they are stated; the note says which tokens were assumed."""
    statement = read(
        region="eu", accelerator="h100", service_tier="flex", batch=True, provider="fireworks",
        usage={"prompt_tokens": 9, "completion_tokens": 1},
        response_headers={"fireworks-cached-prompt-tokens": "4"},
    )  # fmt: skip
    called = (statement.service_tier, statement.is_batch, statement.region, statement.accelerator)
    assert called == ("flex", True, "eu", "h100")
    assert statement.quantities == Quantities(5, 4, 1)
    assert json.loads(statement.fields or "")["usage_notes"] == ["cached_input_tokens from headers"]


def test_notes_of_the_sender_are_not_taken_for_ours() -> None:
    """Theirs are kept under another name; nothing is noted about a usage that states it all."""
    kept = json.loads(read(usage_notes="all fine").fields or "")
    assert kept == {"usage_notes_as_sent": "all fine"}


@pytest.mark.parametrize(
    ("asked", "served", "tier"),
    [
        (None, None, None),
        ("flex", None, "flex"),
        (None, "priority", "priority"),
        ("priority", "priority", "priority"),
        ("auto", "priority", "priority"),
        ("auto", None, None),
        ("default", "standard", "standard"),
        ("flex", "priority", "priority"),  # the provider's word counts
        ("standard", "standard", "standard"),
    ],
)
def test_the_tier_that_was_served_counts(
    asked: str | None, served: str | None, tier: str | None
) -> None:
    """One that was left open or is another word for the same is no contradiction."""
    usage = {"input_tokens": 1, "cache_read_input_tokens": 0, "service_tier": served}
    assert read(service_tier=asked, usage=usage).service_tier == tier


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from([*RequestRecord.__struct_fields__, "unheard_of"])
# Texts that mean something to one of the readers.
words = st.sampled_from(
    ["NaN", "sNaN", "-0", "1e999999999", "0E+99999999", "1e-999999", "2026-10-01T00:00:00Z",
     "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "pending", "POST https://[", ULID]
)  # fmt: skip


@settings(
    suppress_health_check=[HealthCheck.too_slow]
)  # what is drawn is large; a busy machine draws slowly
@given(st.dictionaries(fields, words | json_values | st.decimals().map(str), max_size=8))
def test_no_record_breaks_the_reading(members: dict[str, Any]) -> None:
    """One record's nonsense must not fail its neighbours: it is a statement or a refusal."""
    read_statement(json.dumps(NAMES | members).encode(), RECEIVED)
