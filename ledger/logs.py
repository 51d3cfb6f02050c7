"""The log: one event a line, with the id of its request, and nothing in it that somebody sent.

    _LOG.error("job_failed", job=..., slot=..., exc_info=error)
      └▶ a record of the standard library, as those of other packages ─▶ text or JSON on stderr

Events are named by us; their fields are counts, routes, tables and jobs. What an exception says may hold
values, so only its story is told. docs/logs.md lists the events.
"""

import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter
from structlog.typing import EventDict

from ledger.core.visible import visible
from ledger.stories import story_of

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="-")

# The scheduler and the server talk about themselves, the client of outgoing calls tells whole addresses.
_TELL_TROUBLE_ALONE = ("apscheduler", "httpx", "uvicorn")
# Until the log begins, Python itself prints warnings. The driver's, of lost connections, have traces; a
# command that loses its database says so in its own words.
logging.getLogger("asyncpg").addHandler(logging.NullHandler())

_logfmt = structlog.processors.LogfmtRenderer(bool_as_flag=False)
_json = structlog.processors.JSONRenderer()  # ASCII: what cannot be seen is escaped


class Event(dict[str, Any]):
    """What happened, under `event`, and its fields.

    As text `job_done job=export slot=2026-11-19`, without a line break and without control characters.
    """

    def __str__(self) -> str:
        fields = {
            name: ",".join(map(str, value)) if isinstance(value, list | tuple) else value
            for name, value in self.items()
            if name != "event"
        }
        return visible(f"{self['event']} {_logfmt(None, '', fields)}".rstrip())


def logger(name: str) -> BoundLogger:
    """The logger of a module. Fields that are None are left out; `exc_info` becomes `error`, its story."""
    wrapped: BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, _as_record],
        wrapper_class=BoundLogger,
        cache_logger_on_first_use=True,
    )
    return wrapped


def begin_log(level: str = "info", form: str = "text") -> None:
    """Log to stderr from now on, also what Python would print by itself when nobody catches an error.

    Args:
        level: from which on: debug, info, warning or error.
        form: `text`, or `json` for an object a line.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(form))
    ours = logging.getLevelNamesMapping()[level.upper()]
    # The details of others are addresses and headers.
    logging.basicConfig(level=max(ours, logging.INFO), handlers=[handler])
    logging.getLogger("ledger").setLevel(ours)
    for name in _TELL_TROUBLE_ALONE:
        logging.getLogger(name).setLevel(max(ours, logging.WARNING))
    logging.raiseExceptions = False  # else a record that cannot be formatted is printed as it is
    sys.unraisablehook = _tell_unheard


def formatter(form: str) -> logging.Formatter:
    """Makes a line of a record, whoever logged it: `text` or `json`."""
    return ProcessorFormatter(
        foreign_pre_chain=[_of_others],
        processors=[_placed, _json if form == "json" else _as_text],
    )


def _as_record(of: Any, method: str, said: EventDict) -> tuple[tuple[EventDict], dict[str, Any]]:
    """An event of ours, as it is handed to the standard library: without the error itself."""
    error = said.pop("exc_info", None)
    if error is True:
        error = sys.exception()
    if error is not None:
        said["error"] = story_of(error)
    event = Event({name: value for name, value in said.items() if value is not None})
    arguments, extra = ProcessorFormatter.wrap_for_formatter(of, method, event)
    return arguments, {**extra, "exc_info": None}


def _of_others(_: Any, __: str, said: EventDict) -> EventDict:
    """A message of another package. What an error says is not told there either."""
    message = said["event"].strip()
    if said["_record"].name == "asyncio":  # goes on with the error itself, and what that says
        message = message.partition("\n")[0]
    said["event"] = message
    said.pop("stack_info", None)
    _, error, _ = said.pop("exc_info", None) or (None, None, None)
    if error is not None:
        said["error"] = story_of(error)
    return said


def _placed(_: Any, __: str, said: EventDict) -> EventDict:
    """When, how grave, where, and for which request; then what happened."""
    record = said.pop("_record")
    del said["_from_structlog"]
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    request_id = REQUEST_ID.get()
    return {
        "time": at.replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        **({"request_id": request_id} if request_id != "-" else {}),
        "event": said.pop("event"),
        **said,
    }


def _as_text(_: Any, __: str, placed: EventDict) -> str:
    """`2026-11-20T12:00:00.123Z INFO ledger.services.jobs.runner [-] job_done job=export ...`."""
    at, level, name = (placed.pop(each) for each in ("time", "level", "logger"))
    request_id = placed.pop("request_id", "-")
    return f"{at} {level.upper()} {name} [{request_id}] {Event(placed)}"


def _tell_unheard(unheard: "sys.UnraisableHookArgs") -> None:
    """An error that nobody waits for, as in a finaliser."""
    _LOG.error("error_unheard", exc_info=unheard.exc_value)


_LOG = logger(__name__)
