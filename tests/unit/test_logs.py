"""Log lines: one each, with the id of the request, and nothing that somebody sent."""

import logging
import re
import subprocess
import sys
from collections.abc import Callable

import asyncpg
import pytest

from ledger.logs import REQUEST_ID, OneLine, story_of

SECRET = "sk-never-in-a-log"  # noqa: S105 - of nobody


def line_of(
    message: str, *values: object, error: BaseException | None = None, name: str = "ledger.api"
) -> str:
    """What is logged of a message."""
    info = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord(name, logging.ERROR, "file.py", 1, message, values, info)
    return OneLine().format(record)


def failed(fail: Callable[[], object]) -> BaseException:
    """The error that a call ends with, as somebody catches it."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - every kind is wanted
        fail()
    return caught.value


def fail_with_value() -> None:
    raise ValueError(SECRET)


def fail_in_turn() -> None:
    try:
        fail_with_value()
    except ValueError as error:
        raise KeyError(SECRET) from error


def fail_while_handling() -> None:
    try:
        fail_with_value()
    except ValueError:
        raise KeyError(SECRET)  # noqa: B904 - the point of it


def fail_as_a_group() -> None:
    raise BaseExceptionGroup(SECRET, [failed(fail_with_value)])


def test_a_line_has_the_time_the_level_the_place_and_the_request() -> None:
    """In this order, the time in UTC; outside of a request a dash."""
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ERROR ledger\.api \[-\] GET /v1/spend failed",
        line_of("%s failed", "GET /v1/spend"),
    )
    token = REQUEST_ID.set("of-the-caller")
    assert " [of-the-caller] " in line_of("failed")
    REQUEST_ID.reset(token)


def test_control_characters_and_line_breaks_are_escaped() -> None:
    """Nobody writes a second line, or colours, by what they send."""
    line = line_of("model %s", "a\n2026-01-01 ERROR forged\r\x1b[2J\u202e")
    assert line.endswith(r"model a\n2026-01-01 ERROR forged\r\x1b[2J\u202e")


@pytest.mark.parametrize(
    "fail", [fail_with_value, fail_in_turn, fail_while_handling, fail_as_a_group]
)
def test_an_error_is_told_by_its_type_and_frames_alone(fail: Callable[[], None]) -> None:
    """Its message could hold values; those of its causes and of the members of a group too."""
    line = line_of("failed", error=failed(fail))
    assert SECRET not in line
    assert "\n" not in line
    assert "builtins.ValueError at tests/unit/test_logs.py:" in line
    assert " fail_with_value < " in line or line.endswith(" fail_with_value")


def test_causes_are_told_in_their_order() -> None:
    """The last one first, and what led to it after it."""
    assert re.match(
        r"builtins\.KeyError at .+ fail_in_turn.*; caused by builtins\.ValueError at .+",
        story_of(failed(fail_in_turn)),
    )
    hidden = failed(fail_while_handling)
    hidden.__suppress_context__ = True
    assert "caused by" not in story_of(hidden)


def test_a_chain_without_end_is_cut() -> None:
    """Errors may point at one another."""
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one
    assert story_of(one).count("caused by") == 4


def test_the_database_s_code_and_place_are_told_without_its_detail() -> None:
    """Its text holds the values of the row."""
    error = asyncpg.UniqueViolationError(SECRET)
    error.detail = f"Key (name)=({SECRET})"
    error.table_name, error.constraint_name = "customer", "customer_pkey"
    assert story_of(error) == (
        "asyncpg.exceptions.UniqueViolationError sqlstate 23505 table_name customer "
        "constraint_name customer_pkey at no frame"
    )


def test_asyncio_s_own_lines_are_cut_where_the_error_begins() -> None:
    """It shows the task with its error, and so what that says."""
    shown = f"Task exception was never retrieved\nfuture: <Task exception={SECRET}>"
    assert line_of(shown, name="asyncio").endswith(" Task exception was never retrieved")


UNHEARD = f"""
import logging
from ledger.logs import begin_log
class Held:
    def __del__(self):
        raise ValueError("{SECRET}")
begin_log()
held = Held()
del held
logging.getLogger("ledger").error("%d", "{SECRET}")
logging.getLogger("httpx").info("GET https://{SECRET}")
logging.getLogger("ledger").info("the end")
"""


def test_what_nobody_catches_is_a_line_like_any_other() -> None:
    """Python would print its message; and a record that cannot be formatted with all its values."""
    done = subprocess.run(
        [sys.executable, "-c", UNHEARD], capture_output=True, text=True, timeout=30, check=True
    )
    assert SECRET not in done.stderr
    unheard, end = done.stderr.splitlines()
    assert "ERROR ledger.logs [-] an error that nobody waits for: builtins.ValueError at" in unheard
    assert end.endswith("INFO ledger [-] the end")
