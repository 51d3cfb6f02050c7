"""The help of every command: it fits, it lists by subject, and its examples are commands."""

import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ledger.cli.main import SUBJECTS, main
from tests.cli.conftest import ROOT

WIDTH = 80
# Files that examples name; some options and arguments ask that theirs is there.
FILES = ("my-rates.yaml", "meters.yaml", "heads.json", "prices.json", "october.ndjson.gz")
ASSIGNMENT = re.compile(r"[A-Z_]+=\S*")
REDIRECTIONS = ("<", ">")


def commands_of(command: click.Command, *path: str) -> Iterator[tuple[str, ...]]:
    """The path of every command and group below one, and its own."""
    yield path
    for name, each in getattr(command, "commands", {}).items():
        yield from commands_of(each, *path, name)


def help_of(*path: str, width: int = WIDTH) -> str:
    """What `--help` prints."""
    runner = CliRunner(env={"COLUMNS": str(width)})
    shown = runner.invoke(main, [*path, "--help"], prog_name="ledger")
    assert shown.exit_code == 0, shown.output
    return shown.output


def examples_of(*path: str) -> list[list[str]]:
    """The words of each example, without settings before it and redirections after it."""
    text = help_of(*path).replace("\\\n", " ")
    found = re.findall(r"^ *(?:Example: )?((?:[A-Z_]+=\S+ )?ledger .+)$", text, re.MULTILINE)
    return [list(_words(line)) for line in found]


def _words(line: str) -> Iterator[str]:
    for word in shlex.split(line):
        if word in REDIRECTIONS:
            return
        if not ASSIGNMENT.fullmatch(word):
            yield word


def parse(words: list[str]) -> None:
    """Read a command line as the program does, down to the last command, and run nothing."""
    program, *rest = words
    assert program == "ledger"
    command: click.Command = main
    parent = None
    with ExitStack() as opened:
        while True:
            context = command.make_context(command.name, rest, parent=parent)
            opened.callback(context.close)
            if not isinstance(command, click.Group):
                return
            named = [*context._protected_args, *context.args]
            _, found, rest = command.resolve_command(context, named)
            assert found is not None
            command, parent = found, context


PATHS = list(commands_of(main))


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_has_examples_that_its_parser_takes(
    path: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own, or one of its group that calls it."""
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        (tmp_path / name).touch()
    examples = examples_of(*path)
    of_group = examples_of(*path[:-1]) if path[1:] else []

    assert [words for words in examples + of_group if tuple(words[1:])[: len(path)] == path]
    for words in examples:
        parse(words)


def test_what_is_no_command_does_not_parse() -> None:
    """The parser of these tests is that of the program."""
    for words in ("spend", "spend --from soon --to 2026-11-01", "invoices print INV-000001"):
        with pytest.raises(click.UsageError):
            parse(["ledger", *words.split()])


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_fits_a_terminal(path: tuple[str, ...]) -> None:
    """No line of it is wider than 80 columns."""
    assert max(map(len, help_of(*path).splitlines())) <= WIDTH


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_option_says_what_it_is_for(path: tuple[str, ...]) -> None:
    """And what it is when it is left out, if that is anything."""
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name


def test_commands_are_listed_by_subject() -> None:
    """Each under one heading, with a line that is not cut."""
    text = help_of()
    for heading in SUBJECTS:
        assert f"\n{heading}:\n" in text
    listed = re.findall(r"^  ([a-z]+) {2,}\S", text, re.MULTILINE)
    assert listed == list(main.commands)
    assert "..." not in text.replace("[ARGS]...", "")
    assert main.commands.keys() == {
        module.command_group.name for modules in SUBJECTS.values() for module in modules
    }


def test_an_example_that_is_too_wide_goes_on_in_the_next_line() -> None:
    """Where a shell goes on too."""
    text = help_of("rerate")
    assert " \\\n" in text
    assert [words[-1] for words in examples_of("rerate")] == ["new price list"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_told_how_to_complete(shell: str) -> None:
    """As docs/command-line.md has it; what is completed are commands and options."""
    told = CliRunner(env={"_LEDGER_COMPLETE": f"{shell}_source"}).invoke(main, prog_name="ledger")
    assert f"_LEDGER_COMPLETE={shell}_complete" in told.output
    assert (
        f"_LEDGER_COMPLETE={shell}_source ledger" in (ROOT / "docs" / "command-line.md").read_text()
    )


def test_commands_and_options_are_completed() -> None:
    """By what a shell asks for."""
    for words, expected in (("ledger sp", "spend"), ("ledger spend --cu", "--customer")):
        asked = {
            "_LEDGER_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        }
        assert CliRunner(env=asked).invoke(main, prog_name="ledger").output == f"plain,{expected}\n"
