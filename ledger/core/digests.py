"""Digests that make a change of the log show: SHA-256 over each batch, chained within its lane.

What is digested are three JSON arrays without spaces, in UTF-8, each on a line of its own:

    ["ledger batch 1", previous digest, lane, batch, recorded_at, customers, dimensions]
    events
    decisions

The digest before it in its lane is part of it, so a digest vouches for all that came before. Customers and
dimensions are spelled out for every number that the events and decisions use, in the order of numbers.
Events are rows as in the table `usage_event`, in the order of their key; decisions are rows of
`ledger_event` in the order of `ordinal`, keys of their bodies sorted. Bytes are written in base64, times in
RFC 3339 with `Z`, decimals as plain strings.

A dimension is spelled out as provider, model, key type, tier, batch, promoted metadata, then provider,
version and fingerprint of its rate table, then slug, version, kind and percentage of its meter. Where one of
them is there, four more follow: region, accelerator, the model it bills as, and the terms of the meter as the
database writes them.

The words that came with an event enter as a salted digest of their own. Once words and salt are erased,
nobody can try out what they were, and the chain still holds.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from ledger.core.rows import UsageEvent

FORMAT = "ledger batch 1"
SALT_BYTES = 16

_ENCODER = msgspec.json.Encoder()
_COST = UsageEvent._fields.index("reported_cost")
_SORTED = msgspec.json.Encoder(order="sorted")


class Spelled(NamedTuple):
    """A number of the log and what it stands for, as it enters a digest."""

    number: int
    words: Sequence[Any]


class DecisionRow(NamedTuple):
    """A row of `ledger_event` as it enters a digest; `body` is the JSON value, or its canonical text."""

    customer: int
    ordinal: int
    kind: str
    subject: str
    actor: str
    reason: str | None
    epoch: int | None
    body: dict[str, Any] | msgspec.Raw


class BatchDocument(msgspec.Struct, frozen=True):
    """All that one batch says. `events` are the lines that `event_lines` makes of its rows."""

    lane: int
    batch: int
    recorded_at: datetime
    customers: Sequence[Spelled]
    dimensions: Sequence[Spelled]
    events: bytes
    decisions: Sequence[DecisionRow]


def event_lines(rows: Iterable[tuple[Any, ...]]) -> bytes:
    """Rows of `usage_event` as they enter a digest: a JSON array on a line each, without a break in it."""
    return _ENCODER.encode_lines([_plain(row) for row in rows])


def batch_digest(previous: bytes | None, document: BatchDocument) -> bytes:
    """The 32 bytes that vouch for a batch and all before it in its lane; `previous` is None at its start."""
    head = (
        FORMAT,
        previous,
        document.lane,
        document.batch,
        document.recorded_at,
        sorted(document.customers),
        sorted(document.dimensions),
    )
    lines = (
        _ENCODER.encode(head),
        b"[%b]" % document.events.removesuffix(b"\n").replace(b"\n", b","),
        _SORTED.encode(document.decisions),
    )
    return hashlib.sha256(b"\n".join(lines)).digest()


def text_digest(
    salt: bytes, response_id: str | None, metadata: dict[str, str] | None, fields: str | None
) -> bytes:
    """The 32 bytes that vouch for the words of an event: over the salt and their JSON, keys sorted."""
    return hashlib.sha256(salt + _SORTED.encode((response_id, metadata, fields))).digest()


def canonical_body(body: dict[str, Any]) -> msgspec.Raw:
    """The body of a decision as the text that enters a digest; the same text can be stored."""
    return msgspec.Raw(_SORTED.encode(body))


def canonical_units(stored: str | None) -> str | None:
    """The text of `other_units` as it enters a digest; the database spaces and orders it in its own way."""
    return None if stored is None else _SORTED.encode(msgspec.json.decode(stored)).decode()


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row whose one decimal, where there is any, is written without an exponent."""
    cost = row[_COST]
    return row if cost is None else (*row[:_COST], format(cost, "f"), *row[_COST + 1 :])


def spelled(words: Mapping[int, Sequence[Any]], numbers: Iterable[int]) -> list[Spelled]:
    """What some numbers stand for. A number that stands for nothing is spelled out as that."""
    return [Spelled(number, words.get(number, ())) for number in numbers]
