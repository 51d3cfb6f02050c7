"""What was sent and what was answered, by which the ledger is judged. Nothing here asks the ledger."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from math import inf
from pathlib import Path
from typing import Any

from tests.naive_prices import NO_FEE, Terms
from tests.soak_kills.published import Shelf

Record = dict[str, Any]
Key = tuple[str, str]  # customer, request id


class Answer(StrEnum):
    """What was answered to a record; `taken` is accepted or duplicate, which a batch does not tell apart."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    TAKEN = "taken"
    CONFLICT = "conflict"
    REJECTED = "rejected"
    NONE = "none"


ACKNOWLEDGED = (Answer.ACCEPTED, Answer.DUPLICATE, Answer.TAKEN)


@dataclass(slots=True)
class Sending:
    """One statement of a request on its way once; times are seconds of one steady clock."""

    statement: int
    sent_s: float
    answer: Answer = Answer.NONE
    answered_s: float = inf

    @property
    def is_acknowledged(self) -> bool:
        return self.answer in ACKNOWLEDGED


@dataclass(slots=True)
class Adjusting:
    """A void or a correction to absolute quantities, repeated under its key until it was answered."""

    kind: str
    quantities: Mapping[str, int]
    idempotency_key: str
    sent_s: float
    answered_s: float = inf

    @property
    def is_answered(self) -> bool:
        return self.answered_s < inf


@dataclass(slots=True)
class Request:
    """All that was ever said of one request. A few have several statements that contradict each other."""

    statements: list[Record]
    sendings: list[Sending] = field(default_factory=list)
    adjustings: list[Adjusting] = field(default_factory=list)
    told: Mapping[str, Any] | None = None  # the answer 201
    is_closed: bool = False  # to further adjustments

    @property
    def key(self) -> Key:
        return self.statements[0]["customer_id"], self.statements[0]["request_id"]

    @property
    def numbers(self) -> range:
        """Of its statements."""
        return range(len(self.statements))

    def is_metered(self, statement: int) -> bool:
        """Whether a statement says that the request completed."""
        return "status" not in self.statements[statement]

    def metered(self) -> Iterator[Sending]:
        """The sendings of completed statements."""
        return (each for each in self.sendings if self.is_metered(each.statement))

    def answered(self, *answers: Answer) -> set[int]:
        """The statements that got one of some answers."""
        return {each.statement for each in self.sendings if each.answer in answers}

    def begin(self, statement: int, now_s: float) -> Sending:
        """A statement goes on its way."""
        self.sendings.append(Sending(statement, now_s))
        return self.sendings[-1]

    def was_known(self, sending: Sending) -> bool:
        """Whether the same had been acknowledged before a sending began: it must be a duplicate then."""
        is_metered = self.is_metered(sending.statement)
        return any(
            each.is_acknowledged and each.answered_s < sending.sent_s
            for each in self.sendings
            if not is_metered or each.statement == sending.statement
        )

    def is_first(self, sending: Sending) -> bool:
        """Whether nothing else that could make it a duplicate was sent until now: it must be new then."""
        others = self.metered() if self.is_metered(sending.statement) else self.sendings
        return all(each is sending for each in others)


@dataclass(slots=True)
class Limit:
    """A spend limit, set once, the same again until answered; moments are UTC."""

    limit_id: str
    customer: str
    amount: Decimal
    window: str
    asked_at: datetime
    answered_at: datetime | None = None


@dataclass(slots=True)
class KeyMade:
    """A key that was acknowledged; `is_revoked` is None while a revocation is not answered."""

    key_id: str
    text: str
    scopes: tuple[str, ...]
    customer: str | None
    is_revoked: bool | None = False


@dataclass(slots=True)
class Exported:
    """Files of a span in a folder; only those of the command have a manifest.

    What was acknowledged by `asked_s` must be in them.
    """

    folder: Path
    start_at: datetime
    end_at: datetime
    asked_s: float


@dataclass
class Memory:
    """Everything that was acknowledged, and what was wrong the moment it was answered."""

    shelf: Shelf
    terms: dict[str, Terms] = field(default_factory=dict)  # by meter
    meters: dict[str, str] = field(default_factory=dict)  # by customer
    requests: dict[Key, Request] = field(default_factory=dict)
    limits: list[Limit] = field(default_factory=list)
    keys: list[KeyMade] = field(default_factory=list)
    issued: dict[str, Mapping[str, Any]] = field(
        default_factory=dict
    )  # heads of invoices by number
    exports: list[Exported] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def add(self, record: Record) -> Request:
        """A request that nobody has heard of."""
        request = Request([record])
        self.requests[request.key] = request
        return request

    def find(self, text: str) -> None:
        """Something that must not be."""
        self.findings.append(text)

    def terms_of(self, statement: Record) -> Terms:
        """What the meter of a statement charges, by its own word or its customer's."""
        slug = self.slug_of(statement)
        return NO_FEE if slug is None else self.terms[slug]

    def slug_of(self, statement: Record) -> str | None:
        return statement.get("meter_slug") or self.meters.get(statement["customer_id"])

    def count_taken(
        self,
        sent: Iterable[tuple[Request, Sending]],
        accepted: int,
        duplicates: int,
        where: str,
    ) -> None:
        """Hold the counters of an answer against what was known: each sending in it was taken."""
        known = fresh = taken = 0
        for request, sending in sent:
            taken += 1
            known += request.was_known(sending)
            fresh += request.is_first(sending)
        if accepted + duplicates != taken:
            self.find(f"{where}: {accepted} accepted and {duplicates} duplicates of {taken}")
        elif duplicates < known:
            lost = known - duplicates
            self.find(f"{where}: {lost} of {known} acknowledged records were not there any more")
        elif accepted < fresh:
            self.find(f"{where}: {fresh - accepted} of {fresh} new records were called duplicates")
