"""Random records against a second model that shares no code with the product."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.clock import FixedClock
from ledger.core.reading import read_statement
from ledger.core.request_ids import request_id_of
from ledger.core.spend import spend_query
from ledger.core.statements import Statement
from ledger.services.customers import set_customer
from ledger.services.intake.writer import Writer
from ledger.services.meters import set_meter
from ledger.services.spend import answer_spend, spend_body
from ledger.store.database import Database
from tests.conftest import NOW
from tests.naive import NaiveLedger, read_tables

TABLES = read_tables(Path(__file__).parents[2] / "pricing" / "rates")
START, END = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
GROUPS = ("customer", "model", "key_type", "day")
PREFIX = "accounts/fireworks/models/"
MODELS = (
    f"{PREFIX}llama-v3p3-70b-instruct",
    f"{PREFIX}mixtral-8x22b-instruct",
    f"{PREFIX}deepseek-v3",
    f"{PREFIX}kimi-k2p5-turbo",
    "whisper-v3",
    "nomic-ai/nomic-embed-text-v1.5",
    "no/such-model",
    # Of the later tables: an alias, two that only a pattern names, prices by combination and by tier.
    f"{PREFIX}code-llama-13b",
    "accounts/acme/deployments/mine",
    "accounts/acme/models/my-mixtral-8x7b",
    f"{PREFIX}deepseek-v4-pro",
    "gemini-2.5-flash",
    "gemini-2.5-pro",
)
ENCODER = msgspec.json.Encoder(decimal_format="number")
_examples = itertools.count()

counts = st.one_of(st.integers(0, 10), st.integers(0, 10**6), st.just(10**12))
seconds = st.integers(0, 10**9).map(lambda micros: Decimal(micros).scaleb(-6))
instants = st.one_of(
    st.datetimes(datetime(2026, 5, 1), datetime(2026, 5, 31, 23)),  # noqa: DTZ001 - given an offset below
    # Around the change of rates, to the microsecond.
    st.integers(-3, 3).map(lambda micros: datetime(2026, 5, 12) + timedelta(microseconds=micros)),  # noqa: DTZ001
    st.integers(-3, 3).map(lambda micros: datetime(2026, 11, 20) + timedelta(microseconds=micros)),  # noqa: DTZ001
    st.just(datetime(2026, 11, 20, 11)),  # noqa: DTZ001
).map(lambda instant: instant.replace(tzinfo=UTC))
records = st.fixed_dictionaries(
    {
        "number": st.integers(0, 30),  # few, so that ids repeat with other content
        "customer": st.sampled_from(["a", "b", "c"]),
        "model": st.sampled_from(MODELS),
        "provider_key_type": st.sampled_from(["managed", "unmanaged", "byok", "stored"]),
        "timestamp": instants.map(datetime.isoformat),
        "output_tokens": counts,
    },
    optional={
        "input_tokens": counts,
        "cached_input_tokens": st.integers(0, 10),
        "input_seconds": seconds,
        "status": st.sampled_from(["completed", "pending", "error"]),
        "provider": st.just("fireworks"),
        "reasoning_tokens": st.integers(0, 10),
        "cache_write_tokens": st.integers(0, 5),
        "audio_input_tokens": st.integers(0, 5),
        "gpu_seconds": seconds,
        "images": st.integers(0, 2),
        "batch": st.booleans(),
        "service_tier": st.sampled_from(["standard", "default", "priority", "batch"]),
        "region": st.just("us"),
        "accelerator": st.sampled_from(["h100", "a100"]),
        "in_usage": st.just(True),
    },
)


@st.composite
def histories(draw: st.DrawFn) -> list[list[dict[str, Any]]]:
    """Batches of records, some sent again, in any order and any split."""
    sent = draw(st.lists(records, min_size=1, max_size=40))
    again = draw(st.lists(st.sampled_from(sent), max_size=20))
    order = draw(st.permutations(sent + again))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=6)))
    return [order[start:end] for start, end in itertools.pairwise([0, *cuts, len(order)])]


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=histories())
async def test_any_history_gives_the_sums_of_the_second_model(
    database: Database, clock: FixedClock, writer: Writer, history: list[list[dict[str, Any]]]
) -> None:
    """Whatever the split into batches, the order, the repeats and the kinds of key."""
    example = next(_examples)
    names = {name: f"{name}-{example}" for name in "abc"}
    await set_meter(database, clock, "test", "tenth", {"percentage": "10.5"})
    await set_customer(database, clock, "test", names["a"], "tenth")
    naive = NaiveLedger(TABLES, NOW, {names["a"]: Decimal("10.5")})
    verdicts, expected = [], []
    for batch in history:
        raws = [_raw(record, names, example) for record in batch]
        read = [read_statement(raw, NOW) for raw in raws]
        committed = iter(
            await writer.submit([each for each in read if isinstance(each, Statement)])
        )
        verdicts += [
            next(committed).verdict.value if isinstance(each, Statement) else "rejected"
            for each in read
        ]
        expected += [naive.add(raw) for raw in raws]

    question = spend_query(START, END, GROUPS, customers=list(names.values()))
    body = spend_body(await answer_spend(database, clock, question), "USD")

    assert verdicts == expected
    assert [_exact(row) for row in body["rows"]] == [
        _exact(row) for row in naive.spend(GROUPS, START, END)
    ]


def _raw(record: dict[str, Any], names: dict[str, str], example: int) -> bytes:
    """The record as JSON; its id is of this example alone."""
    fields = dict(record)
    number = example * 1000 + fields.pop("number")
    bits = (1_777_600_000_000 << 80 | number).to_bytes(16, "big")
    fields["request_id"] = request_id_of(bits, None)
    fields["customer_id"] = names[fields.pop("customer")]
    if fields.pop("in_usage", False):
        fields["usage"] = _usage_object(fields)
    return ENCODER.encode(fields)


def _usage_object(fields: dict[str, Any]) -> dict[str, Any]:
    """Tokens moved out of a record into the object in which a provider states them."""
    return {
        "prompt_tokens": fields.pop("input_tokens", 0),
        "completion_tokens": fields.pop("output_tokens"),
        "prompt_tokens_details": {"cached_tokens": fields.pop("cached_input_tokens", None)},
        "completion_tokens_details": {"reasoning_tokens": fields.pop("reasoning_tokens", None)},
    }


def _exact(row: dict[str, Any]) -> dict[str, Any]:
    """The figures that both models state, amounts as Decimal."""
    names = (*GROUPS, "requests", "input_tokens", "cached_input_tokens", "output_tokens")
    amounts = {name: Decimal(row[name]) for name in ("cost", "fee", "spend")}
    return {name: row[name] for name in names} | amounts
