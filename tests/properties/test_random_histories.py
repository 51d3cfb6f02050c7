"""Random histories against a second model that shares no code with the product."""

import itertools
import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import template_name
from tests.naive_history import NaiveHistory
from tests.properties.drawing import draw_history
from tests.properties.histories import FIRST_MONTH, History, Send, Single
from tests.properties.history_model import Answer, Model
from tests.properties.playing import explanations, play
from tests.properties.rooms import Rooms

_numbers = itertools.count()


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A history with a number of its own."""
    return draw_history(draw(st.randoms(use_true_random=False)), next(_numbers))


@pytest.fixture
async def rooms(server_url: str) -> AsyncIterator[Rooms]:
    opened = Rooms(server_url, template_name())
    yield opened
    await opened.close()


def some(histories: int) -> settings:
    """So many; each takes its time, and the database serves all of them."""
    checks = (
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    )
    return settings(max_examples=histories, deadline=None, suppress_health_check=checks)


@pytest.mark.parametrize("quarter", range(4))  # of 40, so that idle workers can take some over
@some(10)
@given(data=st.data())
async def test_any_history_is_told_alike_by_the_second_model(
    rooms: Rooms, quarter: int, data: st.DataObject
) -> None:
    """Answers, spend and what is due agree; `verify` holds; `rebuild` changes no byte."""
    assert quarter in range(4)
    history = data.draw(histories())
    async with rooms.enter() as product:
        await play(product, history)


@some(3)
@given(history=histories())
async def test_it_is_told_alike_after_every_operation(rooms: Rooms, history: History) -> None:
    """A later operation may cover what an earlier one did."""
    async with rooms.enter() as product:
        await play(product, history, every_step=True)


async def test_a_sighting_may_be_looked_up_before_another_batch_completes_it() -> None:
    """Each of two batches sees one key and completes the other: all four are accepted, or in one order."""
    one = batch(pending("k"), completed("m", 1))
    other = batch(completed("k", 1), pending("m"))
    both, first = ["accepted", "accepted"], ["accepted", "duplicate"]
    assert are_explained([one, other], [both, both])
    assert are_explained([one, other], [both, first])
    assert not are_explained([one, other], [["duplicate", "accepted"], first])


async def test_what_counts_is_recorded_as_a_batch() -> None:
    """Of two batches that complete the same keys one is first, whatever the order; no key counts twice."""
    one = batch(completed("k", 1), completed("m", 1))
    other = batch(completed("m", 2), completed("k", 1))
    assert are_explained([one, other], [["accepted", "accepted"], ["conflict", "duplicate"]])
    assert not are_explained([one, other], [["accepted", "accepted"], ["duplicate", "duplicate"]])
    assert not are_explained([one, other], [["accepted", "accepted"], ["conflict", "accepted"]])
    assert not are_explained([one, other], [["accepted", "conflict"], ["accepted", "duplicate"]])


def batch(*records: dict[str, object]) -> Send:
    return Send(0, tuple(json.dumps({"customer_id": "c", **each}).encode() for each in records))


def pending(request_id: str) -> dict[str, object]:
    return {"request_id": request_id, "status": "pending"}


def completed(request_id: str, output_tokens: int) -> dict[str, object]:
    return {"request_id": request_id, "output_tokens": output_tokens}


def are_explained(together: list[Single], told: list[Answer]) -> bool:
    """Whether the product may give these answers to operations at once on an empty ledger."""
    history = History(0, ("c",), FIRST_MONTH, ())
    model = Model(history, NaiveHistory([], FIRST_MONTH), FIRST_MONTH)
    return told in [answers for answers, _ in explanations(model, together, told)]
