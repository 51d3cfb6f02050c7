"""The log: one line a record, with the id of its request, and nothing in it that somebody sent.

Messages are written by us and name routes, tables and counts. What an exception says may hold values, so only
its type and its frames are told.
"""

import logging
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from traceback import walk_tb

from ledger.core.visible import visible

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="-")

_LOG = logging.getLogger(__name__)
_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s [%(request_id)s] %(message)s"
_ROOT = Path(__file__).parents[1]
_MOST_CAUSES = 5


class OneLine(logging.Formatter):
    """Formats a record as one line, in UTC."""

    def __init__(self) -> None:
        super().__init__(_FORMAT, "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a line break and without control characters."""
        message = record.getMessage().strip()
        if record.name == "asyncio":  # goes on with the error itself, and what that says
            message = message.partition("\n")[0]
        if record.exc_info and record.exc_info[1] is not None:
            message = f"{message}: {story_of(record.exc_info[1])}"
        record.message = message
        record.asctime = self.formatTime(record, self.datefmt)
        record.request_id = REQUEST_ID.get()
        return visible(self.formatMessage(record))


def begin_log() -> None:
    """Log to stderr from now on, also what Python would print by itself when nobody catches an error."""
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.raiseExceptions = False  # else a record that cannot be formatted is printed as it is
    # The scheduler talks about itself, the client of outgoing calls tells whole addresses.
    for name in ("apscheduler", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.unraisablehook = _log_unraisable


def story_of(error: BaseException) -> str:
    """The types of an error and its causes, innermost frame first; no word of what they say."""
    return "; caused by ".join(
        f"{_kind(each)} at {' < '.join(_frames(each)) or 'no frame'}"
        for each in _with_causes(error)
    )


def _frames(error: BaseException) -> list[str]:
    frames = [
        f"{_shortened(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    return frames[::-1]


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it; of a group its first."""
    following: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if following is None:
            return
        yield following
        if isinstance(following, BaseExceptionGroup):
            following = following.exceptions[0]
        else:
            hidden = following.__suppress_context__
            following = following.__cause__ or (None if hidden else following.__context__)


def _kind(error: BaseException) -> str:
    """The type, and the codes that programs give beside it."""
    codes = [
        f"{name} {value}"
        for name in ("sqlstate", "table_name", "constraint_name", "errno")
        if isinstance(value := getattr(error, name, None), str | int)
    ]
    return " ".join([f"{type(error).__module__}.{type(error).__qualname__}", *codes])


def _shortened(file: str) -> str:
    _, is_package, within = file.rpartition("/site-packages/")
    return within if is_package else file.removeprefix(f"{_ROOT}/")


def _log_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    error = unraisable.exc_value
    _LOG.error("an error that nobody waits for", exc_info=error)
