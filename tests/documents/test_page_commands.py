"""Every command of every page does what the page says, typed in the page's order."""

import re

import pytest

from tests.documents.desk import Desk, agrees
from tests.documents.left_out import COMMANDS, ENDS_WITH, PAGES, code_of, reason_to_leave_out
from tests.documents.pages import ROOT, Command, commands, name_of, pages
from tests.documents.stages import STAGES, set_stage

EVERY = {name_of(page): commands(page) for page in pages()}
TYPED = {
    page: [each for each in every if not reason_to_leave_out(page, each.text)]
    for page, every in EVERY.items()
}


@pytest.mark.parametrize("page", [page for page, typed in TYPED.items() if typed])
async def test_a_page_does_what_it_says(page: str, desk: Desk) -> None:
    """And where it shows an answer, that is the answer."""
    set_stage(page, desk)
    for command in TYPED[page]:
        printed = await desk.type(command, code_of(page, command.text))
        _require_answer(command, printed, desk)


def test_what_is_left_out_is_in_the_pages() -> None:
    """A name that fits no command any more would hide the next one."""
    for page, start in [*COMMANDS, *ENDS_WITH]:
        assert any(each.text.startswith(start) for each in EVERY[page]), (page, start)
    for page in [*PAGES, *STAGES]:
        assert EVERY[page], page
    for reason in [*PAGES.values(), *COMMANDS.values()]:
        for test in re.findall(r"tests/\S+\.py", reason):
            assert (ROOT / test).exists(), test


def _require_answer(command: Command, printed: str | None, desk: Desk) -> None:
    if printed is None or not command.answer:
        return
    shown = command.answer
    for word, here in desk.words.items():
        shown = shown.replace(word, here)
    where = f"{command.page}:{command.line}: {command.text}"
    assert agrees(shown, printed), f"{where}\nshown:\n{shown}\n\nprinted:\n{printed}"
