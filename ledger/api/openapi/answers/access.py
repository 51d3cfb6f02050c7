"""Keys, refused records, and whether the server is well."""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from ledger.api.openapi.answers.requests import RequestAnswer
from ledger.core.errors import FieldError
from ledger.core.keys import Scope
from ledger.core.shapes import Instant


class KeyAnswer(Struct, kw_only=True):
    """All of a key but the key itself."""

    key_id: str
    name: str
    scopes: list[Scope]
    customer_id: str | None
    created_at: Instant
    created_by: str
    expires_at: Instant | None
    revoked_at: Instant | None


class NewKey(KeyAnswer, kw_only=True):
    """A key that was just made; `key` stands here and nowhere else."""

    key: str


class KeyPage(Struct):
    """Keys, oldest first."""

    data: list[KeyAnswer]
    has_more: bool
    next_cursor: str | None


class Quarantined(Struct, kw_only=True):
    """A refused record, without its content."""

    quarantine_id: str
    sender: str
    sender_customer_id: str | None
    request_id: str | None
    customer_id: str | None
    outcome: Literal["rejected", "conflict"]
    code: str
    field: str | None
    detail: str
    sightings: int
    first_seen_at: Instant
    last_seen_at: Instant
    record_bytes: int
    is_whole: bool


class QuarantinePage(Struct):
    """Refused records, last seen first, and how many there was no room for."""

    data: list[Quarantined]
    has_more: bool
    next_cursor: str | None
    not_kept: int


class StatedOtherwise(Struct):
    """A field in which two statements differ."""

    field: str
    sent: Any
    recorded: Any


class ConflictAnswer(Struct):
    """What was sent and what is recorded, side by side."""

    sent: RequestAnswer
    recorded: RequestAnswer
    is_corrected: bool
    differences: list[StatedOtherwise]


class QuarantinedDetail(Quarantined, kw_only=True):
    """A refused record with its content, all its faults and what it contradicts."""

    errors: list[FieldError]
    record: str
    record_encoding: Literal["utf-8", "base64"]
    conflict: ConflictAnswer | None


class Dismissal(Struct):
    """What is remembered of a record that was dismissed."""

    quarantine_id: str
    sender: str
    outcome: Literal["rejected", "conflict"]
    code: str
    request_id: str | None
    customer_id: str | None
    digest: str
    sightings: int


class ReplayedRecord(Struct):
    """What became of one record; `kept_as` is the id under which it stays."""

    quarantine_id: str
    request_id: str | None
    customer_id: str | None
    outcome: Literal["accepted", "duplicate", "conflict", "rejected"]
    unrated: bool
    code: str | None
    field: str | None
    detail: str | None
    kept_as: str | None


class ReplayAnswer(Struct):
    """The counters of a batch, and what became of each record."""

    read: int
    accepted: int
    duplicates: int
    conflicts: int
    rejected: int
    unrated: int
    records: list[ReplayedRecord]


class Health(Struct):
    """That the server is well."""

    status: Literal["ok"]


class ReadinessCheck(Struct):
    """One thing that must be so."""

    name: Literal["database", "migrations", "lane", "clock"]
    ok: bool
    code: str | UnsetType = UNSET


class Readiness(Struct):
    """That the server can do its work."""

    status: Literal["ready"]
    checks: list[ReadinessCheck]
