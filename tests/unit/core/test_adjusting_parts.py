"""Adjustments of wholes and their parts: read strictly, merged with what stands, rated as it was called."""

from typing import Any

import pytest

from ledger.core.adjustments import Adjustment, Standing, corrected, read_adjustment
from ledger.core.errors import FieldError
from ledger.core.events import usage_event
from ledger.core.rating import RatedStatement
from ledger.core.usage.stated import QUANTITY_FIELDS, StatedUsage
from pricing import Quantities
from tests.unit.core.test_events import ACME, BOOK, rated

FORM = {"kind": "correction", "reason": "counted twice", "idempotency_key": "k"}


def adjustment(**fields: Any) -> Adjustment:
    answer = read_adjustment(FORM | fields)
    assert isinstance(answer, Adjustment), answer
    return answer


def faults(form: dict[str, Any]) -> list[tuple[str | None, str]]:
    """Field and code of everything that is wrong with an adjustment."""
    answer = read_adjustment(form)
    assert isinstance(answer, list), answer
    return [(fault.field, fault.code) for fault in answer]


def correction(recorded: dict[str, Any], **now: int) -> RatedStatement | FieldError | None:
    """What comes of a correction of a request of the lab's."""
    answer = rated(model="tiered", provider="gg", **recorded)
    event = usage_event(answer, ACME, 7, 1, 1)
    standing = Standing(event, answer.statement, answer.dimension, None)
    assert not standing.is_voided
    return corrected(standing, StatedUsage(**now), BOOK)


@pytest.mark.parametrize("name", QUANTITY_FIELDS)
def test_every_quantity_of_a_record_can_be_corrected(name: str) -> None:
    """Seconds with up to six decimals, everything else as whole numbers."""
    is_time = name.endswith("_seconds")
    read = adjustment(**{name: "1.5" if is_time else 3})
    assert read.quantities == StatedUsage(**{name: 1_500_000 if is_time else 3})


def test_a_void_states_nothing_but_why() -> None:
    """And may name the customer."""
    form = FORM | {"kind": "void", "customer_id": "acme"}
    assert read_adjustment(form) == Adjustment("void", "counted twice", "k", StatedUsage(), "acme")


@pytest.mark.parametrize(
    ("form", "found"),
    [
        (FORM, [(None, "no_quantity")]),
        (FORM | {"kind": "void", "reasoning_tokens": 0}, [("reasoning_tokens", "not_in_a_void")]),
        (FORM | {"kind": "erase"}, [("kind", "unknown_value")]),
        ({"kind": "void"}, [("reason", "missing"), ("idempotency_key", "missing")]),
        (FORM | {"images": 1, "reason": 5}, [("reason", "wrong_type")]),
        (FORM | {"images": 1, "reason": ""}, [("reason", "wrong_length")]),
        (FORM | {"images": 1, "idempotency_key": "a\0"}, [("idempotency_key", "wrong_length")]),
        (FORM | {"images": 1, "customer_id": "\ud800"}, [("customer_id", "lone_surrogate")]),
        (FORM | {"images": 1, "service_tier": "flex"}, [("service_tier", "unknown_field")]),
        (FORM | {"billable_requests": 2, "images": 1}, [("billable_requests", "unknown_field")]),
        (FORM | {"gpu_seconds": "1.0000001"}, [("gpu_seconds", "too_precise")]),
        (FORM | {"cache_write_tokens": -1}, [("cache_write_tokens", "out_of_range")]),
        (FORM | {"web_searches": True}, [("web_searches", "wrong_type")]),
    ],
)
def test_what_cannot_be_adjusted_is_refused(
    form: dict[str, Any], found: list[tuple[str | None, str]]
) -> None:
    """Every fault is named; how a request was called is no quantity."""
    assert faults(form) == found


def test_parts_that_are_not_stated_stay_within_their_whole() -> None:
    """100 in, 10 of it cached and 20 written; corrected to 50 in, the 30 are still parts of it."""
    recorded = {
        "service_tier": "priority", "input_tokens": 100, "cached_input_tokens": 10,
        "cache_write_tokens": 20, "output_tokens": 8, "reasoning_tokens": 5,
    }  # fmt: skip
    answer = correction(recorded, input_tokens=50)
    assert isinstance(answer, RatedStatement)
    other = {"cache_write_tokens": 20, "reasoning_tokens": 5}
    assert answer.quantities == Quantities(20, 10, 3, other)
    assert answer.costs is not None
    assert answer.costs.total_pico == (20 + 10) * 3_000_000 + 20 * 4_000_000 + 8 * 6_000_000


@pytest.mark.parametrize(
    ("now", "field", "code"),
    [
        ({"input_tokens": 29}, "cached_input_tokens", "exceeds_input_tokens"),
        ({"cache_write_tokens": 91}, "cached_input_tokens", "exceeds_input_tokens"),
        ({"output_tokens": 4}, "reasoning_tokens", "exceeds_output_tokens"),
        ({"audio_output_tokens": 4}, "reasoning_tokens", "exceeds_output_tokens"),
    ],
)
def test_a_whole_cannot_become_less_than_its_parts(
    now: dict[str, int], field: str, code: str
) -> None:
    """Those that stay and those that are stated together."""
    recorded = {
        "input_tokens": 100, "cached_input_tokens": 10, "cache_write_tokens": 20,
        "output_tokens": 8, "reasoning_tokens": 5,
    }  # fmt: skip
    fault = correction(recorded, **now)
    assert isinstance(fault, FieldError)
    assert (fault.field, fault.code) == (field, code)


def test_a_correction_is_priced_as_the_request_was_called() -> None:
    """In its combination, and by the tier that the new input falls in."""
    batch = correction({"batch": True, "input_tokens": 10}, input_tokens=2000)
    assert isinstance(batch, RatedStatement)
    assert batch.costs is not None
    assert (batch.costs.total_pico, batch.dimension.is_batch) == (1_000_000_000, True)
    higher = correction({"input_tokens": 999}, input_tokens=1000)
    assert isinstance(higher, RatedStatement)
    assert higher.costs is not None
    assert higher.costs.total_pico == 2_000_000_000


def test_the_same_figures_again_change_nothing() -> None:
    """Parts and wholes as they stand."""
    recorded = {"output_tokens": 8, "reasoning_tokens": 5}
    assert correction(recorded, output_tokens=8, reasoning_tokens=5, images=0) is None
