"""Statements: what a request record says, in one form; and refusals, where it says nothing that can be kept.

Which fields the sender stated is remembered in `stated`, because a resend is compared only in what both
copies state.
"""

from datetime import datetime
from decimal import Decimal
from enum import IntFlag, StrEnum

import msgspec

from ledger.core.errors import FieldError
from ledger.core.request_ids import RequestKey
from pricing import Quantities


class Stated(IntFlag):
    """The fields that count in a comparison, as the bits stored with each event."""

    MODEL = 1 << 0
    PROVIDER = 1 << 1
    KEY_TYPE = 1 << 2
    INPUT_TOKENS = 1 << 3
    CACHED_INPUT_TOKENS = 1 << 4
    OUTPUT_TOKENS = 1 << 5
    INPUT_SECONDS = 1 << 6
    OUTPUT_SECONDS = 1 << 7
    INPUT_CHARACTERS = 1 << 8
    OUTPUT_CHARACTERS = 1 << 9
    IMAGES = 1 << 10
    GPU_SECONDS = 1 << 11
    SERVICE_TIER = 1 << 12
    BATCH = 1 << 13
    METER = 1 << 14
    TIMESTAMP = 1 << 15
    METADATA = 1 << 16
    CACHE_WRITE_TOKENS = 1 << 17
    CACHE_WRITE_1H_TOKENS = 1 << 18
    REASONING_TOKENS = 1 << 19
    AUDIO_INPUT_TOKENS = 1 << 20
    CACHED_AUDIO_INPUT_TOKENS = 1 << 21
    AUDIO_OUTPUT_TOKENS = 1 << 22
    IMAGE_INPUT_TOKENS = 1 << 23
    IMAGE_OUTPUT_TOKENS = 1 << 24
    IMAGE_STEPS = 1 << 25
    WEB_SEARCHES = 1 << 26
    RERANK_SEARCHES = 1 << 27
    TRAINING_TOKENS = 1 << 28
    REGION = 1 << 29
    ACCELERATOR = 1 << 30  # the last that fits the column


class Status(StrEnum):
    """What a record says about its request."""

    COMPLETED = "completed"
    PENDING = "pending"
    ERROR = "error"


class Statement(msgspec.Struct, gc=False):
    """One record in one form. `provider` is stated or told by the endpoint; both may be missing.

    `quantities` are the disjoint integers of `pricing`. `fields` is the JSON of what is kept but not
    understood.
    """

    request_id: str
    key: RequestKey
    customer_id: str
    status: Status
    occurred_at: datetime
    stated: int
    model: str | None
    provider: str | None
    key_type: str
    quantities: Quantities
    service_tier: str | None
    is_batch: bool
    region: str | None
    accelerator: str | None
    meter_slug: str | None
    response_id: str | None
    metadata: dict[str, str] | None
    reported_cost: Decimal | None
    fields: str | None
    is_bound: bool = False  # its sender speaks for its customer alone, and has no choice of meters


class Refusal(msgspec.Struct, frozen=True):
    """A record that cannot be accepted, as it came, with every fault that was found."""

    raw: bytes
    errors: tuple[FieldError, ...]
    request_id: str | None = None
    customer_id: str | None = None
    conflict: bool = False
