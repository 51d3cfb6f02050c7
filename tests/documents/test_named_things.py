"""Commands, options, variables, calls and records that the pages name exist."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from ledger.api.app import create_app
from ledger.bootstrap import Ledger
from ledger.cli.main import main
from ledger.cli.unrated import ListsByDefault
from ledger.clock import SystemClock
from ledger.core.reading import read_statement
from ledger.core.statements import Statement
from ledger.settings import Settings, read_settings
from ledger.store.database import Database
from tests.conftest import ADMIN_KEY, NOW
from tests.documents.pages import ROOT, blocks, commands, name_of, pages

EVERY_PAGE = pytest.mark.parametrize("page", pages(), ids=name_of)
_COMMAND = re.compile(r"`ledger ([^`]+)`")
_VARIABLE = re.compile(r"\bLEDGER_[A-Z][A-Z_]*[A-Z]\b")
_CALL = re.compile(r"\b(GET|POST|PUT|DELETE) (/[^\s`'?,;]*)")
_OF_OTHERS = {"/v1/services"}  # what Lava's own interface has
_SETTING_ROW = re.compile(r"^\| `(LEDGER_\w+)` \|.*\| (.*) \|$", re.MULTILINE)


@EVERY_PAGE
def test_commands_and_their_options_exist(page: Path) -> None:
    """In the prose and in the blocks, by the command line's own tree."""
    for line in _named_commands(page):
        fault = _fault(line)
        assert fault is None, f"{name_of(page)}: ledger {line}: {fault}"


@EVERY_PAGE
def test_variables_exist(page: Path) -> None:
    """Something else than a page reads them."""
    unknown = set(_VARIABLE.findall(page.read_text())) - _variables_of_programs()
    assert not unknown


@EVERY_PAGE
def test_calls_exist(page: Path) -> None:
    """Method and path are a route of the server."""
    for method, path in _CALL.findall(page.read_text()):
        routes = (route for methods, route in ROUTES if method in methods)
        known = path in _OF_OTHERS or any(route.fullmatch(path) for route in routes)
        assert known, f"{name_of(page)}: {method} {path}"


def test_the_table_of_settings_is_whole() -> None:
    """It has every variable that the settings are read from, no other, and their defaults."""
    source = (ROOT / "ledger" / "settings.py").read_text()
    rows = dict(_SETTING_ROW.findall((ROOT / "docs" / "operation.md").read_text()))
    assert set(rows) == set(re.findall(r'"(LEDGER_[A-Z_]+)"', source))

    settings = read_settings({"LEDGER_DATA_DIR": "somewhere"})
    for variable, default in rows.items():
        value = getattr(settings, variable.removeprefix("LEDGER_").lower())
        if default.startswith("`") and variable != "LEDGER_DATA_DIR":
            assert default.strip("`").lower() == str(value).lower(), variable
        else:
            assert value is None or variable == "LEDGER_DATA_DIR", variable


def test_modules_of_the_architecture_exist() -> None:
    """Its folders and modules are where it says."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = re.findall(
        r"\b(?:ledger/)?((?:api|cli|core|exports|jobs|services|store)/[a-z_/]*)", text
    )
    assert named
    for name in named:
        module = ROOT / "ledger" / name.rstrip("/")
        assert module.is_dir() or module.with_suffix(".py").exists(), name


def test_records_that_are_shown_are_taken() -> None:
    """The examples of docs/records.md are records."""
    shown = [
        block.text
        for block in blocks((ROOT / "docs" / "records.md").read_text())
        if block.text.startswith('{"request_id"')
    ]
    assert shown
    for text in shown:
        assert isinstance(read_statement(text.encode(), NOW), Statement), text


def _routes() -> Iterator[tuple[set[str], re.Pattern[str]]]:
    settings = Settings(database_url="none", data_dir=Path())
    app = create_app(Ledger(settings, SystemClock(), Database("none"), ()), ADMIN_KEY)
    for route in app.routes:
        pattern = re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(route.path))
        yield set(getattr(route, "methods", ())), re.compile(pattern)


ROUTES = list(_routes())


@cache
def _variables_of_programs() -> frozenset[str]:
    sources = [ROOT.glob("compose*.y*ml"), ROOT.glob("Dockerfile"), ROOT.glob("scripts/*")]
    sources += [ROOT.glob("ledger/**/*.py"), ROOT.glob("sql/*.sql"), ROOT.glob("tests/*.py")]
    texts = (file.read_text() for files in sources for file in files if file.is_file())
    return frozenset(name for text in texts for name in _VARIABLE.findall(text))


def _named_commands(page: Path) -> Iterator[str]:
    for text in _COMMAND.findall(page.read_text()):
        yield " ".join(text.split())
    for command in commands(page):
        program, _, line = command.text.partition(" ")
        if program in ("ledger", "scripts/ledger"):
            yield line


def _fault(line: str) -> str | None:
    """What is wrong with the words of a command, or None. Values are not looked at."""
    here: click.Command = main
    words = shlex.split(line.removesuffix(" &"), comments=True)
    while words and isinstance(here, click.Group) and not words[0].startswith("-"):
        if words[0] not in here.commands:
            return f"no command {words[0]}"
        here = here.commands[words.pop(0)]
    if isinstance(here, ListsByDefault):
        here = here.commands["list"]
    known = {name for each in here.params for name in (*each.opts, *each.secondary_opts)}
    named = {word.partition("=")[0] for word in words if word.startswith("--")}
    unknown = named - known - {"--help", "--version"}
    return f"no option {', '.join(sorted(unknown))}" if unknown else None
