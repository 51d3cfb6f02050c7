"""What every command shares: opening the ledger, one JSON document or a text, exit codes."""

import asyncio
import functools
import os
import sys
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Literal, ParamSpec

import click
import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from ledger.bootstrap import open_ledger
from ledger.cli.signals import SIGNALS
from ledger.core.cuts import AsOf, parse_as_of
from ledger.core.errors import DatabaseUnavailable, LedgerError
from ledger.core.instants import Period, parse_instant_or_date, parse_month
from ledger.core.keys import Sender
from ledger.core.visible import visible
from ledger.settings import read_settings
from pricing import RateFileError

DONE, WITH_PROBLEMS, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 3
ACTOR = "cli"
SENDER = Sender(ACTOR)
FILE_WIDTH = 200  # where nobody reads columns on a screen, names are not folded

_P = ParamSpec("_P")
Command = Callable[_P, Coroutine[Any, Any, int | None]]


def command(run: Command[_P]) -> Callable[_P, None]:
    """Make an asynchronous command a program: errors in our words on stderr, an exit code for each kind."""

    @functools.wraps(run)
    def main(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                code = runner.run(_heeding_signals(run(*args, **kwargs)))
        except RateFileError as error:
            _complain(str(error))
            sys.exit(WITH_PROBLEMS)
        except LedgerError as error:
            _complain(_with_cause(error))
            sys.exit(WRONG_USAGE)
        except BrokenPipeError:  # whoever read the result has seen enough of it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(WITH_PROBLEMS)
        except OSError as error:
            _complain(str(error))
            sys.exit(WRONG_USAGE)
        except (KeyboardInterrupt, asyncio.CancelledError):
            _complain("interrupted; it is safe to run the command again")
            sys.exit(INTERRUPTED)
        sys.exit(code or DONE)

    return main


async def _heeding_signals(running: Coroutine[Any, Any, int | None]) -> int | None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - it runs in one
    with SIGNALS.call(task.cancel):
        return await running


def on_ledger(run: Callable[..., Coroutine[Any, Any, int | None]]) -> Callable[..., None]:
    """A command that works on the open ledger, which it gets as its first argument."""

    @functools.wraps(run)
    async def opened(**kwargs: Any) -> int | None:
        async with open_ledger(read_settings()) as ledger:
            return await run(ledger, **kwargs)

    return command(opened)


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option `--json`, as the argument `as_json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document on stdout."
    )(function)


def reason_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option `--reason`, which is kept with the decision."""
    return click.option("--reason", help="Why; kept with the decision.")(function)


def print_json(document: Any) -> None:
    """One JSON document on stdout."""
    text = msgspec.json.format(msgspec.json.encode(document), indent=2)
    sys.stdout.buffer.write(text + b"\n")
    sys.stdout.flush()


def print_table(title: str, columns: dict[str, str], rows: list[dict[str, Any]]) -> None:
    """Rows as a table on stdout; `columns` maps fields to headings. Figures stand to the right."""
    if not rows:
        say(f"{title}: none")
        return
    table = Table(title=visible(title), title_justify="left", box=None, pad_edge=False)
    for field, heading in columns.items():
        is_number = bool(rows) and all(_is_figure(row.get(field)) for row in rows)
        justify: Literal["left", "right"] = "right" if is_number else "left"
        table.add_column(heading, justify=justify, overflow="fold", no_wrap=is_number)
    for row in rows:
        table.add_row(*(_shown(row.get(field)) for field in columns))
    stdout().print(table)


def in_words(offender: dict[str, Any]) -> str:
    """Where something is wrong and what."""
    return ", ".join(f"{name} {value}" for name, value in offender.items() if value is not None)


def say(text: str) -> None:
    """Lines of a result on stdout, whole whatever the width; no name in them drives the terminal."""
    click.echo(visible(text, keep="\n"))


def remark(text: str) -> None:
    """A line on stderr: progress and complaints."""
    click.echo(visible(text, keep="\n"), err=True)


def stdout() -> Console:
    """The console for tables; styles only on a terminal, names never read as markup."""
    width = None if sys.stdout.isatty() else FILE_WIDTH
    return Console(markup=False, emoji=False, highlight=False, width=width)


def stderr() -> Console:
    """The console for progress bars."""
    return Console(stderr=True, markup=False, emoji=False, highlight=False)


class Instant(click.ParamType[datetime]):
    """A time with offset, or a date as its midnight in UTC."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read the text of an option."""
        try:
            return parse_instant_or_date(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class PointInLog(click.ParamType[AsOf]):
    """A point in the log: a time, a date, a cut, or the `as_of` of an answer."""

    name = "point"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> AsOf:
        """Read the text of an option."""
        try:
            return parse_as_of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Month(click.ParamType[Period]):
    """A month such as 2026-10."""

    name = "month"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Period:
        """Read the text of an option."""
        try:
            return parse_month(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _is_figure(value: Any) -> bool:
    if isinstance(value, int):
        return True
    return isinstance(value, str) and value.lstrip("-").replace(".", "", 1).isdigit()


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list):
        return visible(", ".join(map(str, value)))
    return visible(str(value))


def _complain(text: str) -> None:
    remark(f"ledger: {text}")


def _with_cause(error: LedgerError) -> str:
    """Why the database does not answer, for whoever sits at the machine; answers over HTTP do not tell."""
    if not isinstance(error, DatabaseUnavailable) or not str(error.__cause__ or ""):
        return error.detail
    return f"{error.detail}: {error.__cause__}; check LEDGER_DATABASE_URL"
