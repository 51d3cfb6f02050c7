"""What a schema cannot say, and so cannot be asked of what keeps to it; each with the reason."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, HookContext, SerializationContext
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.transport import Response
from schemathesis.openapi.checks import RejectedPositiveData, UnsupportedMethodResponse
from schemathesis.schemas import BaseSchema

from tests.conftest import NOW

# Faults of fields that lie between fields, in what is recorded, or in the time of day.
BEYOND_FIELDS = {
    "contradiction": "a field and its alias must agree",
    "exceeds_input_tokens": "parts must fit into their whole",
    "exceeds_output_tokens": "the same",
    "in_the_past": "an expiry must lie ahead of the clock",
    "unknown_meter": "a record names a meter that must be there",
    "invalid_usage": "the usage objects of providers are theirs to describe",
    "unknown_usage_shape": "the same",
    "usage_does_not_add_up": "the same",
    "too_precise": "a number has the decimals of its shortest text, however it is divided",
    "invalid_thresholds": "0.5 and 0.50 are one share",
    "invalid_start": "tiers must ascend",
    "invalid_end": "the end of a tier must be the start of the next",
    "invalid_name": "which characters print is a matter of the version of Unicode",
    "admin_bound": "a key of one customer is never admin",
    "nul_character": "what is kept of a record as it came may nest any text but one with a NUL",
}
# Fields that are judged only where they count: where nothing that comes before them is stated. And the
# decimals of a number, which no schema bounds.
FIELDS_WITH_CODES = {
    ("reported_cost", "out_of_range"),
    ("created_at", "invalid_time"),
    ("cost", "out_of_range"),
    ("model_usage", "out_of_range"),
    ("expires_at", "out_of_range"),
}
# The same for parameters, by what is said of them.
BEYOND_PARAMETERS = {
    ("to", "must be later than from"),
    ("cursor", "must be the next_cursor of a page"),
    ("as_of", "must not lie in the future"),
    ("as_of", "names a lane or a batch that this ledger does not have"),
    ("as_of", "must have a time when it is before the first batch"),
    ("as_of", "must be a time, a date, a cut such as 1-23.2-5, or the as_of of an answer"),
}
AnyCase = Case[Any]
RECORD, BATCH = "POST /v1/requests", "POST /v1/requests/batch"
# To a schema 1.0 is an integer. Ours are JSON integers.
NO_INTEGERS = (
    "an integer from 0 to 1000000000000, got a number with a fraction or exponent",
    "Expected `int | str | null`, got `float`",
)
_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def teach(schema: BaseSchema) -> None:
    """Have a schema tried with the times of a record and NDJSON, and leave aside what lies beyond it."""
    times = st.datetimes(datetime(1970, 1, 2), NOW.replace(tzinfo=None))  # noqa: DTZ001 - UTC is added
    instants = st.builds(lambda at, zone: at.replace(tzinfo=UTC).astimezone(zone), times, _OFFSETS)
    schemathesis.openapi.format("date-time", instants.map(datetime.isoformat))
    schemathesis.serializer("application/x-ndjson")(_as_lines)
    schema.hook(map_case)
    schema.hook(filter_failure)


def _as_lines(_context: SerializationContext, value: Any) -> bytes:
    values = value if isinstance(value, list) else [value]
    return b"".join(json.dumps(each).encode() + b"\n" for each in values)


def map_case(_context: HookContext, case: AnyCase) -> AnyCase:
    """A key of no customer has to name one, once."""
    is_good = case.meta is not None and case.meta.generation.mode.is_positive
    if case.operation.label == RECORD and is_good and isinstance(case.body, dict):
        case.body["customer_id"] = case.body.get("customer_id") or "acme"
        case.body.pop("connection_id", None)
    return case


def filter_failure(
    _context: HookContext, failure: Failure, case: AnyCase, response: Response
) -> bool:
    """Whether a failure is one."""
    if isinstance(failure, RejectedPositiveData):
        return not _lies_beyond(response)
    if isinstance(failure, AcceptedNegativeData):
        return _arrived(case, response) and not _is_counted_as_refused(case, response)
    if isinstance(failure, UnsupportedMethodResponse) and case.operation.label == BATCH:
        # A request may be called `batch`, so the path of batches gives that to who asks for it.
        return failure.method != "GET"
    return True


def _arrived(case: AnyCase, response: Response) -> bool:
    """Whether every parameter was sent; one that is an empty list is not, however wrong its name."""
    sent = dict(parse_qsl(urlsplit(response.request.url or "").query, keep_blank_values=True))
    return set(case.query or {}) <= sent.keys()


def _is_counted_as_refused(case: AnyCase, response: Response) -> bool:
    """A batch answers for each of its records: what is wrong with one refuses that one."""
    return case.operation.label == BATCH and bool(response.json()["rejected"])


def _lies_beyond(response: Response) -> bool:
    errors = response.json().get("errors", [])
    return bool(errors) and all(map(_is_beyond, errors))


def _is_beyond(error: dict[str, Any]) -> bool:
    return (
        error["code"] in BEYOND_FIELDS
        or (error["field"], error["code"]) in FIELDS_WITH_CODES
        or (error["field"], error["detail"]) in BEYOND_PARAMETERS
        or error["detail"].endswith(NO_INTEGERS)
    )
