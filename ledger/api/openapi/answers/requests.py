"""Requests and batches of them."""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from ledger.api.openapi.answers.figures import Rated
from ledger.core.shapes import Instant, ProviderKeyType


class RequestAnswer(Rated, kw_only=True):
    """A request by the statement that stands, with what it comes to."""

    request_id: str
    customer_id: str
    status: Literal["completed", "voided", "pending", "error"]
    provider: str | None
    model: str | None
    provider_key_type: ProviderKeyType
    timestamp: Instant
    unrated: bool
    service_tier: str | None
    batch: bool
    region: str | None
    accelerator: str | None
    billed_as: str | None
    meter_slug: str | None
    reported_cost: str | None
    response_id: str | None
    metadata: dict[str, str]


class Revision(Rated, kw_only=True):
    """One row of a request's history: a statement, or the negation of the one before."""

    revision: int
    kind: str
    recorded_at: Instant
    actor: str
    reason: str | None
    requests: int


class RequestDetail(RequestAnswer, kw_only=True):
    """A request with its revisions and what else came with it."""

    fields: dict[str, Any]
    redacted: list[str]
    revisions: list[Revision]


class Recorded(RequestAnswer, kw_only=True):
    """A request that was just sent; one that was known before comes with its history."""

    fields: dict[str, Any] | UnsetType = UNSET
    redacted: list[str] | UnsetType = UNSET
    revisions: list[Revision] | UnsetType = UNSET


class RequestPage(Struct):
    """A page of requests, newest id first."""

    data: list[RequestAnswer]
    has_more: bool
    next_cursor: str | None


class BatchProblem(Struct):
    """A record of a batch that was refused, or has no price; `index` counts from 0."""

    index: int
    request_id: str | None
    outcome: Literal["unrated", "conflict", "rejected"]
    code: str
    field: str | None
    detail: str


class BatchAnswer(Struct):
    """What became of a batch: read = accepted + duplicates + conflicts + rejected."""

    read: int
    accepted: int
    duplicates: int
    conflicts: int
    rejected: int
    unrated: int
    problems: list[BatchProblem]
