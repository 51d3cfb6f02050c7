"""Random histories against a second model that shares no code with the product."""

import itertools
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import template_name
from tests.properties.drawing import draw_history
from tests.properties.histories import History
from tests.properties.playing import play
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


@some(200)
@given(history=histories())
async def test_any_history_is_told_alike_by_the_second_model(
    rooms: Rooms, history: History
) -> None:
    """Answers, spend and what is due agree; `verify` holds; `rebuild` changes no byte."""
    async with rooms.enter() as product:
        await play(product, history)


@some(3)
@given(history=histories())
async def test_it_is_told_alike_after_every_operation(rooms: Rooms, history: History) -> None:
    """A later operation may cover what an earlier one did."""
    async with rooms.enter() as product:
        await play(product, history, every_step=True)
