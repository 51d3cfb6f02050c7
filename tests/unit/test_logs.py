"""Log lines: one each, with the id of the request, and nothing that somebody sent."""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from ledger.core.errors import SetupError
from ledger.logs import REQUEST_ID, formatter, logger
from ledger.settings import read_settings
from ledger.stories import story_of

SECRET = "sk-never-in-a-log"  # noqa: S105 - of nobody


def line_of(
    message: str, *values: object, error: BaseException | None = None, name: str = "ledger.api"
) -> str:
    """What is logged of a message of another package."""
    info = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord(name, logging.ERROR, "file.py", 1, message, values, info)
    return formatter("text").format(record)


def told(caplog: pytest.LogCaptureFixture, event: str, form: str = "text", **fields: Any) -> str:
    """What is logged of an event of ours."""
    caplog.clear()
    logger("ledger.api").error(event, **fields)
    [record] = caplog.records
    return formatter(form).format(record)


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


def test_an_event_is_a_name_and_fields(caplog: pytest.LogCaptureFixture) -> None:
    """Quoted where it is needed, so that no value is taken for another field; what is None is left out."""
    line = told(
        caplog, "job_failed", job="export", attempt=2, checks=["a", "b"], again_in_min=None, ok=True,
        route="GET /v1/spend", forged='x level=info a="b"',
    )  # fmt: skip
    assert line.partition(" [-] ")[2] == (
        "job_failed job=export attempt=2 checks=a,b ok=true "
        r'route="GET /v1/spend" forged="x level=info a=\"b\""'
    )


def test_as_json_a_line_is_an_object(caplog: pytest.LogCaptureFixture) -> None:
    """The same fields with their types, whoever logs; a request's lines have its id."""
    body = json.loads(told(caplog, "job_failed", "json", attempt=2, checks=["a"], job=None))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body.pop("time"))
    assert body == {
        "level": "error", "logger": "ledger.api", "event": "job_failed", "attempt": 2, "checks": ["a"],
    }  # fmt: skip
    token = REQUEST_ID.set("of-the-caller")
    of_others = logging.LogRecord("uvicorn.error", logging.INFO, "f.py", 1, "%s", ("said",), None)
    body = json.loads(formatter("json").format(of_others))
    REQUEST_ID.reset(token)
    assert (body["request_id"], body["event"], body["level"]) == ("of-the-caller", "said", "info")


def test_as_json_nothing_unseen_leaves_the_line(caplog: pytest.LogCaptureFixture) -> None:
    """Control characters, marks of direction, halves of pairs and the line ends of Unicode."""
    awkward = "a\n\x1b\x7f\xad\u2028\u202e\ud800\U000e0001"
    line = told(caplog, "job_failed", "json", value=awkward)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["value"] == awkward


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_event_s_error_is_its_story(caplog: pytest.LogCaptureFixture, form: str) -> None:
    """Also of the one that is being handled. The record does not hold it, so no other handler tells it."""
    line = told(caplog, "job_failed", form, exc_info=failed(fail_with_value))
    assert "builtins.ValueError at tests/unit/test_logs.py:" in line
    assert SECRET not in line + caplog.text
    caplog.clear()
    try:
        fail_with_value()
    except ValueError:
        logger("ledger.api").exception("job_failed")
    [record] = caplog.records
    assert "builtins.ValueError at tests/unit/test_logs.py:" in formatter(form).format(record)
    assert SECRET not in caplog.text
    assert record.exc_info is None


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
import sys
from ledger.logs import begin_log, logger
class Held:
    def __del__(self):
        raise ValueError("{SECRET}")
begin_log(*sys.argv[1:])
held = Held()
del held
logging.getLogger("ledger").error("%d", "{SECRET}")
logging.getLogger("httpx").info("GET https://{SECRET}")
logging.getLogger("httpcore").debug("https://{SECRET}")
logger("ledger").debug("details_told")
logger("ledger").info("end_reached")
"""


def test_what_nobody_catches_is_a_line_like_any_other() -> None:
    """Python would print its message; and a record that cannot be formatted with all its values."""
    unheard, end = said_by(UNHEARD)
    assert 'ERROR ledger.logs [-] error_unheard error="builtins.ValueError at' in unheard
    assert end.endswith("INFO ledger [-] end_reached")


def test_the_level_is_ours_and_the_form_everybodys() -> None:
    """What others say in detail are headers and addresses, so `debug` is about the ledger alone."""
    unheard, details, _ = map(json.loads, said_by(UNHEARD, "debug", "json"))
    assert unheard["event"] == "error_unheard"
    assert (details["event"], details["level"]) == ("details_told", "debug")
    [unheard] = said_by(UNHEARD, "error")
    assert " error_unheard " in unheard


def test_before_the_log_begins_only_trouble_is_told() -> None:
    """As short commands have it: a bare line for a warning, and nothing for the rest."""
    quiet = """
from ledger.logs import logger
logger("ledger").info("job_done")
logger("ledger").warning("months_put_off", months=2)
"""
    assert said_by(quiet) == ["months_put_off months=2"]


def said_by(program: str, *arguments: str) -> list[str]:
    """The lines that a program writes to stderr; none may hold the secret."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert SECRET not in done.stderr
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_form_and_level_are_settings() -> None:
    """Text from info on, unless the environment says otherwise."""
    unset = read_settings({})
    assert (unset.log_format, unset.log_level) == ("text", "info")
    stated = read_settings({"LEDGER_LOG_FORMAT": "JSON", "LEDGER_LOG_LEVEL": "error"})
    assert (stated.log_format, stated.log_level) == ("json", "error")
    for name in ("LEDGER_LOG_FORMAT", "LEDGER_LOG_LEVEL"):
        with pytest.raises(SetupError, match=f"{name} must be one of "):
            read_settings({name: "loud"})
