"""Every error that the product raises on purpose, as one tree.

LedgerError
├── BadRequest                  the sender must change what it sends
│   ├── MalformedBody           a body that cannot be read as a whole
│   ├── InvalidRecord           a record with faults, all of them named
│   ├── InvalidParameter        a query parameter or option outside its rule
│   ├── TooManyRows             an answer that would be too long to be useful
│   ├── BodyTooLarge
│   └── UnsupportedMediaType
├── NotAuthenticated            no key, or a dead one
├── Forbidden                   the key does not have the scope for it
│   └── CustomerForbidden       the key is bound to another customer
├── NotFound
├── Conflict                    the request contradicts what is recorded
│   ├── RecordConflict          same request id, other content
│   └── AmbiguousRequestId      two customers share the id and none is named
├── UnprocessableDecision       understood, but it cannot be decided so
│   └── TooManyDimensions       no further combinations of provider, model, tier and version are taken
├── TooBusy                     try again after `retry_after_s`
├── DatabaseUnavailable         nothing was written, or nothing is known to be; send it again
└── SetupError                  the environment is not as the product needs it

`ledger.api.problems` maps each to its HTTP status, `ledger.cli` to its exit code; a test holds both
complete.
"""

from collections.abc import Sequence

import msgspec

CUSTOMER_FORBIDDEN = "customer_forbidden"
BOUND_ELSEWHERE = "must be the customer that the key is bound to, or left out"


class FieldError(msgspec.Struct, frozen=True):
    """One fault: which field, a code for programs, and the rule beside the kind of value that broke it."""

    field: str | None
    code: str
    detail: str


class LedgerError(Exception):
    """The root: `code` is for programs, `detail` for people."""

    code = "ledger_error"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            self.code = code


class BadRequest(LedgerError):
    """The sender must change what it sends. `progress` says what of a stream landed before it broke."""

    code = "invalid_request"
    progress: object = None


class MalformedBody(BadRequest):
    """A body that cannot be read as a whole."""

    code = "malformed_json"


class InvalidRecord(BadRequest):
    """A record with faults, all of them named."""

    code = "invalid_record"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(
            "; ".join(f"{error.field or 'record'}: {error.detail}" for error in errors)
        )
        self.errors = tuple(errors)
        if (
            self.errors[0].field is None
        ):  # no field is to blame but the whole: its fault is the code
            self.code = self.errors[0].code


class InvalidParameter(BadRequest):
    """A query parameter or option outside its rule."""

    code = "invalid_parameter"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.errors = (FieldError(field, self.code, detail),)


class TooManyRows(BadRequest):
    """An answer that would be too long to be useful."""

    code = "too_many_rows"


class BodyTooLarge(BadRequest):
    """More bytes or elements than one request may carry."""

    code = "body_too_large"


class UnsupportedMediaType(BadRequest):
    """A content type or encoding that is not spoken here."""

    code = "unsupported_media_type"


class NotAuthenticated(LedgerError):
    """No key, or one that is not valid."""

    code = "unauthorized"


class Forbidden(LedgerError):
    """The key does not have the scope for it."""

    code = "insufficient_scope"


class CustomerForbidden(Forbidden):
    """The key is bound to another customer than `field` names; says the same whether there is such a one."""

    code = CUSTOMER_FORBIDDEN

    def __init__(self, field: str) -> None:
        super().__init__(f"{field}: {BOUND_ELSEWHERE}")
        self.errors = (FieldError(field, self.code, BOUND_ELSEWHERE),)


class NotFound(LedgerError):
    """No such thing, or not for this key."""

    code = "not_found"


class Conflict(LedgerError):
    """The request contradicts what is recorded."""

    code = "conflict"


class RecordConflict(Conflict):
    """Same request id and customer, other content; `errors` names the first field that differs."""

    code = "conflicting_record"

    def __init__(self, error: FieldError) -> None:
        super().__init__(f"{error.field}: {error.detail}")
        self.errors = (error,)


class AmbiguousRequestId(Conflict):
    """Two customers share the id and none is named."""

    code = "ambiguous_request_id"


class UnprocessableDecision(LedgerError):
    """Understood, but it cannot be decided so."""

    code = "unprocessable"


class TooManyDimensions(UnprocessableDecision):
    """The ledger has as many combinations of provider, model, tier and version as it may have."""

    code = "too_many_dimensions"


class TooBusy(LedgerError):
    """Everything that may wait is waiting already."""

    code = "too_busy"

    def __init__(self, detail: str, *, retry_after_s: int = 1) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class DatabaseUnavailable(LedgerError):
    """The database does not answer. What was not acknowledged can be sent again."""

    code = "database_unavailable"


class SetupError(LedgerError):
    """The environment is not as the product needs it; the detail says what to do."""

    code = "setup"
