"""Errors are drawn, mapped and documented; each pair of descriptions is compared."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.api.problems import STATUS_BY_ERROR, TITLES, status_of
from ledger.core import errors
from ledger.core.errors import LedgerError
from tests.error_codes import (
    NAMES_CODE,
    ROOT,
    SOURCES,
    codes_in,
    codes_in_source,
    raised_codes,
    subclasses,
)

PAGE = (ROOT / "docs" / "errors.md").read_text()
DRAWN = re.compile(r"^(?P<branch>[│ ]*(?:[├└]── )?)(?P<name>[A-Z]\w+)", re.MULTILINE)
ANSWERS, FIELDS = PAGE.split("## Codes of a field")
STATUS = re.compile(r"^\| `(\w+)` \| (\d{3}) \|", re.MULTILINE)


def kinds(root: type[LedgerError] = LedgerError) -> Iterator[type[LedgerError]]:
    """Every class of error."""
    yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


def drawn_tree() -> dict[str, str]:
    """Class and parent, as the drawing in the module has them."""
    assert errors.__doc__ is not None
    parents, tree = ["LedgerError"], {}
    for line in DRAWN.finditer(errors.__doc__.partition("LedgerError\n")[2]):
        depth = len(line["branch"]) // 4
        tree[line["name"]] = parents[depth - 1]
        parents[depth:] = [line["name"]]
    return tree


def documented() -> dict[str, int]:
    """Codes of answers with their status, as the page has them."""
    return {code: int(status) for code, status in STATUS.findall(ANSWERS)}


def documented_of_fields() -> set[str]:
    """Codes of fields, as the page has them."""
    cells = [line.split("|")[1] for line in FIELDS.splitlines() if line.startswith("| `")]
    return {code for cell in cells for code in re.findall(r"`(\w+)`", cell)}


def instance(kind: type[LedgerError]) -> LedgerError:
    """An error of a class, without what it takes to raise one."""
    return kind.__new__(kind)


def test_the_drawing_shows_every_class_under_its_parent() -> None:
    """No class is missing in it, none stands elsewhere."""
    defined = {kind.__name__: kind.__bases__[0].__name__ for kind in kinds()}
    assert defined.pop("LedgerError") == "Exception"
    assert drawn_tree() == defined == subclasses({"LedgerError"})


def test_every_class_says_what_it_means() -> None:
    """In words of its own, not in those of its parent."""
    for kind in kinds():
        assert kind.__doc__
        assert kind.__doc__ not in {base.__doc__ for base in kind.__bases__}


@pytest.mark.parametrize("kind", [kind for kind in kinds() if kind is not LedgerError])
def test_every_class_has_a_status_with_a_title_and_its_line(kind: type[LedgerError]) -> None:
    """A class without a mapping of its own has that of its parent."""
    status = status_of(instance(kind))
    assert status in TITLES
    assert documented()[kind.code] == status


def test_nothing_is_mapped_that_is_no_error() -> None:
    """And every status that the server answers has its title."""
    assert set(STATUS_BY_ERROR) <= set(kinds())
    assert {*STATUS_BY_ERROR.values(), *documented().values()} <= set(TITLES)
    assert {402, 403, 405, 408, 431, 500} <= set(TITLES)


def test_codes_that_are_raised_instead_have_the_status_of_their_class() -> None:
    """The page says what is answered."""
    known = {kind.__name__: kind for kind in kinds()}
    raised = [(code, known[name]) for code, name in raised_codes() if name in known]
    assert len(raised) >= 10
    for code, kind in raised:
        assert documented()[code] == status_of(instance(kind)), code


def test_every_code_has_its_line_and_every_line_a_code() -> None:
    """Codes are found by reading the source; a code that is made elsewhere fails the next test."""
    page = documented().keys() | documented_of_fields()
    assert codes_in_source() - page == set()
    assert page - codes_in_source() == set()


def test_the_reader_of_codes_finds_them_wherever_they_stand() -> None:
    """As variables, arguments, in tables and in both branches of a choice."""
    source = """
code = "of_a_class"
code = "one" if x else "other"
_CODES = {404: "in_a_table"}
raise NotFound("x", code="as_an_argument")
FieldError("amount", "of_a_field", "detail")
FieldError("amount", code, "detail")
FaultyField("usage", f"exceeds_{whole}", "detail")
other = "no_code"
"""
    assert set(codes_in(source)) == {
        *("of_a_class", "one", "other", "in_a_table", "as_an_argument", "of_a_field"),
        *("exceeds_input_tokens", "exceeds_output_tokens"),
    }


def test_no_code_is_made_of_what_the_reader_does_not_know() -> None:
    """`FieldError` is given a word, a variable named so, or the code of another fault."""
    strange = []
    for path in SOURCES:
        strange += [f"{path.name}:{line}" for line in _strange_codes(path)]
    assert strange == []


def _strange_codes(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or len(node.args) < 3:
            continue
        if getattr(node.func, "id", "") not in ("FieldError", "FaultyField"):
            continue
        given = node.args[1]
        name = given.id if isinstance(given, ast.Name) else getattr(given, "attr", "")
        if not (isinstance(given, ast.Constant | ast.JoinedStr) or NAMES_CODE.fullmatch(name)):
            yield node.lineno
