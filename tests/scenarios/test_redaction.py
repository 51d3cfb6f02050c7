"""Personal text can be erased; amounts, digests and what counts as the same record stay."""

import json
from typing import Any

import pytest

from ledger.clock import FixedClock
from ledger.core.errors import AmbiguousRequestId, InvalidRecord, NotFound
from ledger.core.reading import read_statement
from ledger.core.redaction import WORDS
from ledger.core.statements import Statement
from ledger.services.intake.outcomes import Verdict
from ledger.services.intake.writer import Writer
from ledger.services.proof.seals import check_heads, read_heads, show_heads
from ledger.services.proof.verification import verify
from ledger.services.redaction import redact_request
from ledger.services.requests import show_request
from ledger.store.database import Database
from tests.conftest import NOW

ID = "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ"
RECORD = {
    "request_id": ID,
    "customer_id": "acme",
    "model": "accounts/fireworks/models/llama-v3p3-70b-instruct",
    "input_tokens": 845,
    "output_tokens": 412,
    "response_id": "chatcmpl-1",
    "metadata": {"email": "jane@example.com", "team": "seekers"},
    "prompt_user": "Jane Doe",
    "trace": 7,
}


async def take(writer: Writer, **changes: Any) -> Verdict:
    """Send the record with some fields changed."""
    raw = json.dumps({**RECORD, **changes}).encode()
    statement = read_statement(raw, NOW)
    assert isinstance(statement, Statement)
    return (await writer.submit([statement]))[0].verdict


async def redact(
    database: Database,
    clock: FixedClock,
    *names: str,
    request_id: str = ID,
    customer_id: str | None = None,
) -> list[str]:
    """Erase words of a request; give what this call erased."""
    result = await redact_request(
        database,
        clock,
        "test",
        request_id,
        names=names or WORDS,
        reason="erasure request 12",
        customer_id=customer_id,
    )
    return list(result["erased"])


async def assert_whole(database: Database, clock: FixedClock) -> None:
    report = await verify(database, clock)
    assert report["ok"], [check for check in report["checks"] if not check["ok"]]


async def everything_stored(database: Database) -> str:
    """All text that the ledger's facts and words hold."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT t::text FROM event_text t UNION ALL SELECT e::text FROM usage_event e"
            " UNION ALL SELECT d::text FROM ledger_event d"
        )
    return "\n".join(row[0] for row in rows)


async def test_all_words_go_and_the_chain_holds(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Nothing of them is left anywhere; heads that were kept before still hold, and so does `verify`."""
    await take(writer)
    heads = read_heads(json.dumps(await show_heads(database, clock)).encode())
    before = await show_request(database, ID)

    assert await redact(database, clock) == ["fields", "metadata", "response_id"]

    stored = await everything_stored(database)
    assert not [
        word for word in ("jane", "Jane", "seekers", "chatcmpl-1", "trace") if word in stored
    ]
    after = await show_request(database, ID)
    assert (after["metadata"], after["response_id"], bytes(after["fields"])) == ({}, None, b"{}")
    assert after["redacted"] == ["fields", "metadata", "response_id"]
    assert (after["spend"], after["input_tokens"]) == (before["spend"], 845)
    assert (await check_heads(database, heads))["ok"]
    await assert_whole(database, clock)


async def test_one_pair_can_be_erased_alone(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """What is left keeps a digest of its own, so that it cannot be changed unseen either."""
    await take(writer)

    await redact(database, clock, "metadata.email")
    assert await redact(database, clock, "fields.prompt_user") == ["fields.prompt_user"]

    shown = await show_request(database, ID)
    assert (shown["metadata"], bytes(shown["fields"])) == ({"team": "seekers"}, b'{"trace":7}')
    await assert_whole(database, clock)
    async with database.connection() as connection:
        await connection.execute('UPDATE event_text SET metadata = \'{"team": "other"}\'')
    report = await verify(database, clock)
    assert [check["name"] for check in report["checks"] if not check["ok"]] == [
        "texts_match_digests"
    ]


async def test_erasing_again_decides_nothing_more(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """The same erasure twice is one fact, with who, when and why."""
    await take(writer)
    for _ in range(2):
        await redact(database, clock, "metadata")

    async with database.connection() as connection:
        decisions = await connection.fetch(
            "SELECT actor, reason, subject FROM ledger_event WHERE kind = 'text_redacted'"
        )
    assert [tuple(each) for each in decisions] == [("test", "erasure request 12", ID)]


async def test_a_resend_is_still_the_same_record(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """What is erased cannot be compared any more; everything else is."""
    await take(writer)
    assert await take(writer, metadata={"team": "other"}) is Verdict.CONFLICT
    await redact(database, clock, "metadata.email")

    assert await take(writer) is Verdict.DUPLICATE
    assert await take(writer, metadata={"team": "other"}) is Verdict.DUPLICATE
    assert await take(writer, output_tokens=413) is Verdict.CONFLICT


async def test_words_of_a_sighting_and_of_its_completion_go_together(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """Both revisions are erased; what completes later is erased when it is asked for again."""
    await take(writer, status="pending")
    await redact(database, clock, "metadata")
    await take(writer)
    assert "jane" in await everything_stored(database)

    await redact(database, clock, "metadata")

    assert "jane" not in await everything_stored(database)
    await assert_whole(database, clock)


async def test_what_was_erased_of_a_sighting_says_nothing_about_its_completion(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """One pair of a completed record goes alone, though all went of its sighting before."""
    await take(writer, status="pending")
    await redact(database, clock)
    await take(writer)

    await redact(database, clock, "metadata.email")

    shown = await show_request(database, ID)
    assert (shown["metadata"], shown["response_id"]) == ({"team": "seekers"}, "chatcmpl-1")
    await assert_whole(database, clock)


async def test_what_is_not_there_is_not_erased(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """That is no fault, and no decision: a misspelt name does not become a fact."""
    await take(writer, request_id="bare", metadata=None, response_id=None)

    assert await redact(database, clock, "metadata", "fields.colour", request_id="bare") == []
    assert await redact(database, clock, request_id="bare") == ["fields"]
    assert await redact(database, clock, request_id="bare") == []
    await assert_whole(database, clock)
    async with database.connection() as connection:
        decisions = await connection.fetch(
            "SELECT body -> 'erased' FROM ledger_event WHERE kind = 'text_redacted'"
        )
    assert [each[0] for each in decisions] == ['["fields"]']


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("input_tokens", "not_redactable"),
        ("reported_cost", "not_redactable"),
        ("model", "not_redactable"),
        ("customer_id", "not_redactable"),
        ("timestamp", "not_redactable"),
        ("response_id.x", "unknown_field"),
        ("metadata.", "unknown_field"),
        ("colour", "unknown_field"),
        ("", "unknown_field"),
    ],
)
async def test_what_carries_money_cannot_be_erased(
    database: Database, clock: FixedClock, writer: Writer, name: str, code: str
) -> None:
    """Refused by name; nothing is erased, not even what could be."""
    await take(writer)

    with pytest.raises(InvalidRecord) as refused:
        await redact(database, clock, "metadata", name)

    assert [(each.field, each.code) for each in refused.value.errors] == [(name, code)]
    assert "jane" in await everything_stored(database)


async def test_a_redaction_names_one_request(
    database: Database, clock: FixedClock, writer: Writer
) -> None:
    """An unknown id is not found; an id of two customers needs one of them."""
    await take(writer)
    await take(writer, customer_id="globex")

    with pytest.raises(NotFound):
        await redact(database, clock, request_id="nobody")
    with pytest.raises(AmbiguousRequestId):
        await redact(database, clock)
    with pytest.raises(InvalidRecord, match="at least one"):
        await redact_request(database, clock, "test", ID, names=(), reason="why")
    await redact(database, clock, customer_id="globex")
    assert "jane" in await everything_stored(database)
    assert (await show_request(database, ID, "globex"))["metadata"] == {}
