"""The events of the log: named in the program, told in docs/logs.md, and the same in both."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "ledger").rglob("*.py"))
LEVELS = {"debug", "info", "warning", "error", "exception"}
# What a line has in any case, so no field may be called that.
OF_EVERY_LINE = {"time", "level", "logger", "request_id", "event", "error"}
# The log itself, the traces that keep other people's from filling it, and a bench of a bare server.
MAY_USE_LOGGING = {"ledger/logs.py", "ledger/traces/exporter.py", "ledger/bench/nothing.py"}

Event = tuple[str, str, frozenset[str]]  # name, level, fields


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls_in(path: Path) -> Iterator[ast.Call]:
    """Every call of the logger of a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = node.func.value
            if isinstance(of, ast.Name) and of.id == "_LOG":
                yield node


def literal(call: ast.Call) -> str:
    """The name of an event, where it is written out and alone; else nothing."""
    match call.args:
        case [ast.Constant(value=str(name))]:
            return name
    return ""


def event_of(call: ast.Call) -> Event:
    """What a call says, as docs have it."""
    assert isinstance(call.func, ast.Attribute)
    level = call.func.attr
    fields = {keyword.arg or "**" for keyword in call.keywords}
    if level == "exception" or "exc_info" in fields:
        fields = fields - {"exc_info"} | {"error"}
    return literal(call), level.replace("exception", "error"), frozenset(fields)


def documented() -> Iterator[Event]:
    """The rows of the table in docs/logs.md."""
    text = (ROOT / "docs" / "logs.md").read_text()
    for name, level, fields in re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) ?\|", text, re.MULTILINE):
        yield name, level, frozenset(re.findall(r"`(\w+)`", fields))


def test_every_line_is_a_named_event_with_fields() -> None:
    """Its name is written out, in words with _ between, and so are the names of its fields."""
    calls = [(name_of(path), call) for path in SOURCES for call in calls_in(path)]
    for file, call in calls:
        where = f"{file}:{call.lineno}"
        assert isinstance(call.func, ast.Attribute)
        assert call.func.attr in LEVELS, where
        assert re.fullmatch("[a-z]+(_[a-z]+)+", literal(call)), where
        fields = {keyword.arg for keyword in call.keywords}
        assert None not in fields, f"{where}: fields are not written out"
        assert not fields & OF_EVERY_LINE, where


def test_nothing_is_logged_another_way() -> None:
    """A logger is `_LOG = logger(__name__)`, so that the test above sees every line."""
    for path in SOURCES:
        text, where = path.read_text(), name_of(path)
        if where not in MAY_USE_LOGGING:
            assert not re.search(r"^\s*(import|from) (logging|structlog)", text, re.MULTILINE), (
                where
            )
            assert text.count("logger(") == text.count("_LOG = logger(__name__)"), where


def test_the_docs_list_every_event_and_no_other() -> None:
    """With its level and its fields, once each."""
    told = list(documented())
    assert len({name for name, *_ in told}) == len(told)
    assert set(told) == {event_of(call) for path in SOURCES for call in calls_in(path)}
