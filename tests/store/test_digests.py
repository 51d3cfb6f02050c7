"""Digests, computed from the tables as docs/verify-and-seals.md says, without the product's code."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from ledger.clock import FixedClock
from ledger.core.adjustments import Adjustment
from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from ledger.services.adjustments import adjust_request
from ledger.services.intake.writer import Writer
from ledger.store.database import Database
from tests.conftest import NOW
from tests.store.tampering import tampering

RECORD = {
    "request_id": "any / text", "customer_id": "ümlaut 😀",
    "model": "whisper-v3", "input_seconds": "12.345678",
    "timestamp": "2026-05-11T10:00:00.000001Z", "metadata": {"b": "1", "a": "\u2028"}, "region": "eu",
    "reported_cost": "1E-7",
    "response_id": "r", "unheard": {"of": [1.50, None]},
}  # fmt: skip


def written(value: Any) -> Any:
    """A value of the database as the JSON has it."""
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case Decimal():
            return format(value, "f")
        case UUID():
            return str(value)
    return value


def line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


async def digest_of(connection: Any, lane: int, batch: int, previous: bytes | None) -> bytes:
    """What the document says, step by step."""
    recorded_at = await connection.fetchval(
        "SELECT recorded_at FROM batch WHERE lane = $1 AND batch = $2", lane, batch
    )
    events = await connection.fetch(
        "SELECT * FROM usage_event WHERE lane = $1 AND batch = $2"
        " ORDER BY request_id, customer, revision",
        lane,
        batch,
    )
    decisions = await connection.fetch(
        "SELECT customer, ordinal, kind::text, subject, actor, reason, epoch, body FROM ledger_event"
        " WHERE lane = $1 AND batch = $2 ORDER BY ordinal",
        lane,
        batch,
    )
    customers = await connection.fetch(
        "SELECT customer, ARRAY[customer_id] FROM customer WHERE customer = ANY($1) ORDER BY customer",
        sorted({row["customer"] for row in [*events, *decisions]}),
    )
    dimensions = await connection.fetch(
        "SELECT dimension, d.provider, model, key_type::text, service_tier, is_batch, promoted, t.provider,"
        " t.version, fingerprint, slug, m.version, kind, percentage, region, accelerator, billed_as, terms"
        " FROM dimension d LEFT JOIN rate_table t"
        " USING (rate_version) LEFT JOIN meter_version m USING (meter_version)"
        " WHERE dimension = ANY($1) ORDER BY dimension",
        sorted({row["dimension"] for row in events}),
    )
    head = [
        "ledger batch 1", written(previous), lane, batch, written(recorded_at),
        [list(row) for row in customers], [[row[0], _dimension_words(list(row[1:]))] for row in dimensions],
    ]  # fmt: skip
    rows = [[written(value) for value in _with_units(row)] for row in events]
    decided = [[*tuple(row)[:-1], _sorted(json.loads(row["body"]))] for row in decisions]
    text = "\n".join((line(head), line(rows), line(decided)))
    return hashlib.sha256(text.encode()).digest()


def _dimension_words(words: list[Any]) -> list[Any]:
    """The four that came later stand there where one of them is there."""
    return words if any(word is not None for word in words[-4:]) else words[:-4]


def _with_units(row: Any) -> list[Any]:
    units = row["other_units"]
    compact = None if units is None else line(_sorted(json.loads(units)))
    return [compact if name == "other_units" else value for name, value in row.items()]


def _sorted(value: Any) -> Any:
    return json.loads(json.dumps(value, sort_keys=True))


async def test_digests_are_what_the_document_says(
    database: Database, clock: FixedClock, writer: Writer, database_url: str
) -> None:
    """Every batch of a ledger with decisions, strange texts, other units and a correction."""
    statement = read_statement(json.dumps(RECORD).encode(), NOW)
    assert isinstance(statement, Statement)
    await writer.submit([statement])
    void = Adjustment("void", "Grund: ü", "key")
    await adjust_request(database, clock, "test", "any / text", void)

    async with tampering(database_url) as connection:
        previous: dict[int, bytes] = {}
        batches = await connection.fetch(
            "SELECT lane, batch, digest FROM batch ORDER BY lane, batch"
        )
        for lane, batch, digest in batches:
            assert await digest_of(connection, lane, batch, previous.get(lane)) == digest
            previous[lane] = digest
        text = await connection.fetchrow("SELECT * FROM event_text")
        sealed = await connection.fetchval("SELECT text_digest FROM usage_event WHERE revision = 1")
    words = [text["response_id"], _sorted(json.loads(text["metadata"])), text["fields"]]
    assert sealed == hashlib.sha256(text["salt"] + line(words).encode()).digest()
    assert len(batches) == 3
