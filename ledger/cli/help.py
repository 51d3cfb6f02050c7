"""What `--help` shows: commands by subject, examples that can be copied."""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from ledger.cli.running import told

EXAMPLE = re.compile(r"^Example(?:, (?P<what>[^:]+))?:\s(?P<line>.+(?:\n.+)*)$", re.MULTILINE)
_WORD = re.compile(r"""(?:[^\s"]|"[^"]*")+""")
_LINE_COLUMNS = 74
_AROUND_COLUMNS = 6  # before and between the columns of a list
_JSON = "--json"


class BySubject(click.Group):
    """The program: its commands under headings, its wrong usage as JSON too where that was asked for."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._subjects: dict[str, list[str]] = {}
        self._asks_for_json = False

    def add_subject(self, heading: str, commands: Sequence[click.Command]) -> None:
        """Add commands under a heading of their own."""
        self._subjects[heading] = [str(command.name) for command in commands]
        for command in commands:
            set_out_examples(command)
            self.add_command(command)

    def list_commands(self, _: click.Context) -> list[str]:
        """The commands as they were added, in the order of a first day with the product."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, by subject; the columns of all of them are in line."""
        widest = max(map(len, self.commands))
        room = formatter.width - widest - _AROUND_COLUMNS
        for heading, names in self._subjects.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [
                        (name.ljust(widest), self.commands[name].get_short_help_str(room))
                        for name in names
                        if self.get_command(ctx, name) is not None
                    ]
                )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words of the command line."""
        self._asks_for_json = _JSON in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that is named."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            told(error, as_json=self._asks_for_json)
            raise  # the usage goes to stderr


def set_out_examples(command: click.Command) -> None:
    """Move the examples in the help of a command, and of those below it, to its end, ready to be copied.

    They stand in docstrings as paragraphs `Example: ledger ...`, or `Example, what for: ledger ...`.
    """
    text = inspect.cleandoc(command.help or "")
    if examples := list(EXAMPLE.finditer(text)):
        command.help = re.sub(r"\n{3,}", "\n\n", EXAMPLE.sub("", text)).strip()
        lines = [line for each in examples for line in _example_lines(each["what"], each["line"])]
        command.epilog = "\n".join(
            ("\b", "Example:" if len(examples) == 1 else "Examples:", *lines)
        )
    commands: Mapping[str, click.Command] = getattr(command, "commands", {})
    for each in commands.values():
        set_out_examples(each)


def _example_lines(what: str | None, command_line: str) -> Iterator[str]:
    """A command line as a shell takes it, broken where it is too wide."""
    if what is not None:
        yield f"  # {what}"
    line = " "
    for word in _WORD.findall(command_line):
        if len(line) + len(word) + 1 > _LINE_COLUMNS:
            yield f"{line} \\"
            line = "     "
        line = f"{line} {word}"
    yield line
