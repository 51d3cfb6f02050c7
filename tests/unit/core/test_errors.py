"""Errors are raised with every value, so that whoever maps them has nothing to look up."""

from ledger.core.errors import (
    CustomerForbidden,
    FieldError,
    InvalidParameter,
    InvalidRecord,
    LedgerError,
    MalformedBody,
    RecordConflict,
    TooBusy,
)

DIFFERENT = FieldError("output_tokens", "conflicting_value", "differs from what is recorded")


def test_a_conflict_names_the_field_that_differs() -> None:
    """In its detail for people, in `errors` for programs."""
    error = RecordConflict(DIFFERENT)
    assert error.detail == "output_tokens: differs from what is recorded"
    assert (error.code, error.errors) == ("conflicting_record", (DIFFERENT,))


def test_a_record_s_faults_are_all_told() -> None:
    """In the order in which they were found."""
    missing = FieldError("request_id", "missing", "is required")
    error = InvalidRecord([missing, DIFFERENT])
    assert error.errors == (missing, DIFFERENT)
    assert error.detail == "request_id: is required; output_tokens: differs from what is recorded"


def test_a_parameter_is_a_field_like_any_other() -> None:
    """Its code is that of the error."""
    error = InvalidParameter("from", "is required")
    assert error.errors == (FieldError("from", "invalid_parameter", "is required"),)


def test_an_error_has_the_code_of_its_kind_unless_it_brings_one() -> None:
    """One kind of error may stand for several codes."""
    assert LedgerError("x").code == "ledger_error"
    assert MalformedBody("x").code == "malformed_json"
    assert MalformedBody("x", code="body_truncated").code == "body_truncated"


def test_a_record_that_is_none_has_the_code_of_its_fault() -> None:
    """No field is to blame; what is wrong with the whole is the code."""
    whole = InvalidRecord([FieldError(None, "malformed_json", "is not JSON")])
    assert (whole.code, whole.detail) == ("malformed_json", "record: is not JSON")
    assert InvalidRecord([FieldError("model", "wrong_type", "must be")]).code == "invalid_record"


def test_a_foreign_customer_is_named_by_its_field_alone() -> None:
    """The same words whether there is such a customer or not."""
    error = CustomerForbidden("customer_id")
    rule = "must be the customer that the key is bound to, or left out"
    assert error.detail == f"customer_id: {rule}"
    assert error.errors == (FieldError("customer_id", "customer_forbidden", rule),)


def test_who_is_turned_away_learns_when_to_come_again() -> None:
    """After a second, if nothing else is known."""
    assert TooBusy("full").retry_after_s == 1
    assert TooBusy("full", retry_after_s=9).retry_after_s == 9
