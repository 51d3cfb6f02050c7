"""What every command shares: opening the ledger, one JSON document or a text, exit codes."""

import asyncio
import functools
import os
import shutil
import sys
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, ParamSpec

import click
import msgspec
import uvloop
from rich.console import Console
from rich.text import Text

from ledger.bootstrap import open_ledger
from ledger.cli.problems import problem_document, words_of
from ledger.cli.signals import SIGNALS
from ledger.cli.standard_files import give_output_up
from ledger.cli.tables import LEAST_COLUMNS, laid_out
from ledger.core.cuts import AsOf, parse_as_of
from ledger.core.errors import LedgerError
from ledger.core.instants import Period, parse_instant_or_date, parse_month
from ledger.core.keys import Sender
from ledger.core.visible import visible
from ledger.settings import read_settings
from pricing import RateFileError

DONE, WITH_PROBLEMS, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 3
ACTOR = "cli"
SENDER = Sender(ACTOR)
NO_SCREEN_COLUMNS = 100_000  # a file or a pipe is as wide as its lines

# Where a class is not listed, its nearest listed ancestor counts.
EXIT_CODES: dict[type[BaseException], int] = {
    RateFileError: WITH_PROBLEMS,
    LedgerError: WRONG_USAGE,
    click.ClickException: WRONG_USAGE,
    OSError: WRONG_USAGE,
    KeyboardInterrupt: INTERRUPTED,
    asyncio.CancelledError: INTERRUPTED,
}

_P = ParamSpec("_P")
Command = Callable[_P, Coroutine[Any, Any, int | None]]


def command(run: Command[_P]) -> Callable[_P, None]:
    """Make an asynchronous command a program: errors in our words on stderr, an exit code for each kind."""

    @functools.wraps(run)
    def main(*args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                code = runner.run(_heeding_signals(run(*args, **kwargs)))
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read the result has seen enough of it
            give_output_up()
            sys.exit(WITH_PROBLEMS)
        except click.ClickException:
            raise  # told by the group, with the usage
        except tuple(EXIT_CODES) as error:
            give_output_up()
            remark(f"ledger: {words_of(error)}")
            sys.exit(told(error, as_json=bool(kwargs.get("as_json"))))
        sys.exit(code or DONE)

    return main


async def _heeding_signals(running: Coroutine[Any, Any, int | None]) -> int | None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - it runs in one
    with SIGNALS.call(task.cancel):
        return await running


def told(error: BaseException, *, as_json: bool) -> int:
    """The exit code of an error, which stands on stdout too where JSON was asked for."""
    code = next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)
    if as_json:
        print_json(problem_document(error, code))
    return code


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


def limit_option(default: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option `--limit`, as the argument `most`."""
    rows = click.IntRange(1, 1_000_000)
    return click.option("--limit", "most", type=rows, default=default, help="At most so many rows.")


def print_json(document: Any) -> None:
    """One JSON document on stdout."""
    text = msgspec.json.format(msgspec.json.encode(document), indent=2)
    sys.stdout.buffer.write(text + b"\n")
    sys.stdout.flush()


def print_table(
    title: str,
    columns: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
    *,
    whole: Collection[str] = (),
    spare: Collection[str] = (),
) -> None:
    """Rows on stdout as a table that fits the screen; `columns` maps fields to headings.

    Figures stand to the right and never fold, nor do `whole` fields, which are there to be copied. The
    `spare` ones are left out where they would not fit; what is too wide even so is stacked.
    """
    if not rows:
        say(f"{title}: none")
        return
    width = screen_columns()
    layout = laid_out(columns, rows, width, whole=whole, spare=spare)
    console = stdout()
    console.print(Text(visible(title), style="bold"))
    with console.capture() as captured:
        console.print(layout.table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())
    if layout.left_out:
        remark(f"no room for {', '.join(layout.left_out)}; --json has all")


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
    return _console(width=screen_columns())


def stderr() -> Console:
    """The console for progress bars."""
    return _console(stderr=True)


def screen_columns() -> int:
    """How wide lines may be: COLUMNS, or the terminal's width; anything goes into a file or a pipe."""
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS", "").isdigit():
        return NO_SCREEN_COLUMNS
    return max(shutil.get_terminal_size().columns, LEAST_COLUMNS)


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


def _console(**options: Any) -> Console:
    """Nothing is styled where NO_COLOR is set: neither with colours nor otherwise."""
    colors: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
    return Console(markup=False, emoji=False, highlight=False, color_system=colors, **options)
