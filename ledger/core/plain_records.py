"""Plain records: what most senders send, read in one go.

Their fields pass into the statement as they are: one name for each, tokens as counts, no object of a provider
to take apart. Any other record, and any with a fault, `ledger.core.reading` looks at in full. What both can
read is the same statement by either, which a test holds.
"""

from datetime import datetime

import msgspec

from ledger.core.instants import FIRST_INSTANT, MAX_AHEAD, parse_instant
from ledger.core.records import MAX_METADATA_PAIRS, MAX_RECORD_BYTES, Count, KeyTypeWord, Text
from ledger.core.request_ids import request_key, time_of
from ledger.core.statements import Stated, Statement, Status
from pricing import Quantities


class PlainRecord(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The fields of a plain record; all of them are fields of `RequestRecord`, with the same types."""

    request_id: Text
    customer_id: Text
    model: Text | None = None
    provider: Text | None = None
    provider_key_type: KeyTypeWord | None = None
    timestamp: str | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cached_input_tokens: Count | None = None
    meter_slug: Text | None = None
    response_id: Text | None = None
    metadata: dict[Text, Text] | None = None


_MANAGED = (None, "managed")
_COMPLETED = Status.COMPLETED  # a member of an enum is slow to look up, too
_DECODER = msgspec.json.Decoder(PlainRecord)
# Plain integers: an enum member costs ten times as much to combine, and this is done for every record.
_MODEL, _PROVIDER, _KEY_TYPE = (
    each.value for each in (Stated.MODEL, Stated.PROVIDER, Stated.KEY_TYPE)
)
_INPUT, _OUTPUT = Stated.INPUT_TOKENS.value, Stated.OUTPUT_TOKENS.value
_CACHED, _METER = Stated.CACHED_INPUT_TOKENS.value, Stated.METER.value
_METADATA, _TIMESTAMP = Stated.METADATA.value, Stated.TIMESTAMP.value


def read_plain(raw: bytes, received_at: datetime, bound_to: str | None) -> Statement | None:
    """Read a plain record without a fault; None for every other."""
    try:
        record = _DECODER.decode(raw)
        occurred_at = None if record.timestamp is None else parse_instant(record.timestamp)
    except (ValueError, RecursionError):  # the first is msgspec's and that of Unicode, too
        return None
    key = request_key(record.request_id)
    occurred_at = occurred_at or time_of(key) or received_at
    if not _is_sound(raw, record, bound_to) or not _is_possible(occurred_at, received_at):
        return None
    uncached, cached = record.input_tokens or 0, record.cached_input_tokens or 0
    if cached > uncached:
        return None
    return Statement(
        record.request_id,
        key,
        record.customer_id,
        _COMPLETED,
        occurred_at,
        _stated_bits(record),
        record.model,
        record.provider,
        "managed" if record.provider_key_type in _MANAGED else "byok",
        Quantities(uncached - cached, cached, record.output_tokens or 0),
        None,
        False,
        None,
        None,
        record.meter_slug,
        record.response_id,
        record.metadata or None,
        None,
        None,
        bound_to is not None,
    )


def _is_sound(raw: bytes, record: PlainRecord, bound_to: str | None) -> bool:
    """Whether nothing is wrong with it that the typed decode does not see."""
    # To look for a single byte takes a tenth of the time.
    is_without_nul = b"\\" not in raw or b"\\u0000" not in raw
    return (
        is_without_nul
        and len(raw) <= MAX_RECORD_BYTES
        and (record.metadata is None or len(record.metadata) <= MAX_METADATA_PAIRS)
        and (bound_to is None or bound_to == record.customer_id)
    )


def _is_possible(occurred_at: datetime, received_at: datetime) -> bool:
    if occurred_at <= received_at:
        return occurred_at >= FIRST_INSTANT
    return occurred_at - received_at <= MAX_AHEAD


def _stated_bits(record: PlainRecord) -> int:
    return (
        0  # so that what states nothing is a number, too
        | (record.model is not None and _MODEL)
        | (record.provider is not None and _PROVIDER)
        | (record.provider_key_type is not None and _KEY_TYPE)
        | (record.input_tokens is not None and _INPUT)
        | (record.cached_input_tokens is not None and _CACHED)
        | (record.output_tokens is not None and _OUTPUT)
        | (record.meter_slug is not None and _METER)
        | (record.metadata is not None and _METADATA)
        | (record.timestamp is not None and _TIMESTAMP)
    )
