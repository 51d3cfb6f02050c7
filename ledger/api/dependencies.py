"""What handlers are given: who calls, with the ledger as that key may see it; and the way in for records."""

from collections.abc import Sequence

import msgspec
from litestar.di import NamedDependency, Provide

from ledger.api.reading import AnyRequest, plain_texts
from ledger.bootstrap import Ledger
from ledger.core.errors import CustomerForbidden
from ledger.core.keys import ApiKey, Sender
from ledger.services.intake.intake import Intake
from ledger.services.key_ring import KeyRing
from ledger.services.limit_questions import LimitQuestions
from ledger.store.bound import BoundDatabase
from ledger.store.database import Database

CUSTOMER = "customer_id"


class Caller(msgspec.Struct, frozen=True):
    """Who calls. A key that is bound to a customer reads through `database` and names nobody else."""

    ledger: Ledger
    key: ApiKey

    @property
    def actor(self) -> str:
        """The name under which decisions and refused records are kept."""
        return self.key.key_id

    @property
    def sender(self) -> Sender:
        """The caller as one who sends records."""
        return Sender(self.key.key_id, self.key.customer, self.key.customer_id)

    @property
    def customer(self) -> int:
        """The number of the customer that the key is bound to; 0 if it is to none."""
        return self.key.customer

    @property
    def customer_id(self) -> str | None:
        """The customer that the key is bound to."""
        return self.key.customer_id

    @property
    def database(self) -> Database:
        """What to read from."""
        whole = self.ledger.database
        return BoundDatabase(whole, self.key.customer) if self.key.customer else whole

    def one_customer(self, named: str | None, field: str = CUSTOMER) -> str | None:
        """The customer that a request is about: the one it names, or the only one that it may.

        Raises:
            CustomerForbidden: it names another than the key's.
            InvalidParameter: no customer can be named so.
        """
        plain_texts(field, [named or ""])
        if self.key.customer_id is None:
            return named
        if named not in (None, self.key.customer_id):
            raise CustomerForbidden(field)
        return self.key.customer_id

    def customers(self, named: Sequence[str] | None, field: str = CUSTOMER) -> list[str] | None:
        """The same for a parameter that may be repeated; none stands for all."""
        plain_texts(field, named)
        if self.key.customer_id is None:
            return list(named) if named else None
        if any(name != self.key.customer_id for name in named or ()):
            raise CustomerForbidden(field)
        return [self.key.customer_id]


TheCaller = NamedDependency[Caller]
OpenLedger = NamedDependency[Ledger]


def provide_caller(ledger: Ledger) -> Provide:
    """The dependency `caller` over an open ledger.

    A handler has this one and no second: with two the framework opens a task group for each call.
    """

    def caller(request: AnyRequest) -> Caller:
        return Caller(ledger, request.auth)

    return Provide(caller, sync_to_thread=False)


def caller_of(request: AnyRequest) -> Caller:
    """The same, asked for by handlers of what is asked most: injecting it costs as much as they do."""
    return Caller(request.app.state.ledger, request.auth)


def intake_of(request: AnyRequest) -> Intake:
    """The way in for records. Not injected, for the same reason."""
    intake: Intake = request.app.state.intake
    return intake


def key_ring_of(request: AnyRequest) -> KeyRing:
    """The keys as this process knows them."""
    ring: KeyRing = request.app.state.key_ring
    return ring


def limit_questions_of(request: AnyRequest) -> LimitQuestions:
    """Where limits are asked for."""
    questions: LimitQuestions = request.app.state.limit_questions
    return questions
