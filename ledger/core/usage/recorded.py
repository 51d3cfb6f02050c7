"""The usage of a record, from wherever it states it: its own fields, Lava's `model_usage`, `usage`."""

import msgspec

from ledger.core.endpoints import provider_of_endpoint
from ledger.core.records import RequestRecord
from ledger.core.usage.lava import read_model_usage
from ledger.core.usage.shapes import ReadUsage, read_usage
from ledger.core.usage.stated import FaultyField, StatedUsage, agreed, micros
from pricing import BATCH_TIER, STANDARD_TIERS

# What a client asks for to leave the choice to the provider; it says nothing of what was served.
ANY_TIER = "auto"
ANYWHERE = "global"
# The counts that have the same names, in the same order, in a record and in `StatedUsage`.
_COUNTS = slice(
    RequestRecord.__struct_fields__.index("cache_write_tokens"),
    RequestRecord.__struct_fields__.index("training_tokens") + 1,
)


def usage_of(record: RequestRecord) -> ReadUsage:
    """All that a record states of usage, wherever it does, and what its usage object tells of the price."""
    stated = _own_usage(record)
    if record.model_usage:
        stated = stated.joined_with(read_model_usage(record.model_usage)[0])
    read = ReadUsage(stated, "")
    if record.usage or record.perf_metrics or record.response_headers:
        provider = record.provider or provider_of_endpoint(record.endpoint)
        read = read_usage(record.usage, provider, record.perf_metrics, record.response_headers)
        read = msgspec.structs.replace(read, stated=stated.joined_with(read.stated))
    read.stated.check_parts()
    return _called(record, read)


def _called(record: RequestRecord, read: ReadUsage) -> ReadUsage:
    """How the model was called, as far as prices depend on it: as it was served, else as it was asked for.

    A provider's word on what it served counts, for that is what it bills.
    """
    asked = None if record.service_tier == ANY_TIER else record.service_tier
    tier = asked if read.service_tier is None else read.service_tier
    notes = read.notes
    if None not in (asked, read.service_tier) and not _is_same_tier(asked, tier):
        notes = (*notes, f"service_tier {asked} was asked for and {tier} served")
    is_batch = agreed("batch", record.batch, read.is_batch)
    if is_batch is False and tier == BATCH_TIER:
        raise FaultyField("batch", "contradiction", f"is false, and service_tier is {BATCH_TIER}")
    region = agreed("region", _place(record.region), _place(read.region))
    return ReadUsage(read.stated, read.shape, tier, is_batch, region, notes)


def _is_same_tier(one: str | None, other: str | None) -> bool:
    return one == other or (one in STANDARD_TIERS and other in STANDARD_TIERS)


def _place(region: str | None) -> str | None:
    """A region, unless it is another word for none."""
    return None if region == ANYWHERE else region


def _own_usage(record: RequestRecord) -> StatedUsage:
    """What the fields of the record itself state."""
    return StatedUsage(
        agreed("input_tokens", record.input_tokens, record.prompt_tokens),
        record.cached_input_tokens,
        agreed("output_tokens", record.output_tokens, record.completion_tokens),
        micros("input_seconds", record.input_seconds),
        micros("output_seconds", record.output_seconds),
        record.input_characters,
        record.output_characters,
        record.images,
        micros("gpu_seconds", record.gpu_seconds),
        *msgspec.structs.astuple(record)[_COUNTS],
    )
