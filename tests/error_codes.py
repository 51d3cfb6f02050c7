"""Every code that the product can answer with, found by reading its source.

A code stands as a word in one of these places:

    code = "..."                    of a class of error, or of a variable named code
    CODE = "...", CODES = {...}     a constant named so
    error(..., code="...")
    FieldError(field, "...", detail), FaultyField, NoNumber, and faults.add(path, "...", detail)
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*(ROOT / "ledger").rglob("*.py"), *(ROOT / "pricing").rglob("*.py")])
# Where the code stands among what they are given.
PLACES = {
    "FieldError": 1,
    "FaultyField": 1,
    "NoNumber": 0,
    "add": 1,
    "attempt": 1,
    "_problem": 1,
    "problem_body": 1,
    "Refusal": 1,
}
IS_CODE = re.compile("[a-z]+(_[a-z]+)*")
# Constants and tables that hold codes under other names.
NAMES_CODE = re.compile(
    r"(.*_)?codes?|customer_forbidden|_of_the_framework|_parsers", re.IGNORECASE
)
# What f-strings make of the rest of a word.
FILLED_IN = {
    "exceeds_{}": ("exceeds_input_tokens", "exceeds_output_tokens"),
    "invalid_{}": ("invalid_start", "invalid_end", "invalid_rate"),
}


def codes_in_source() -> set[str]:
    """All of them."""
    return {code for path in SOURCES for code in codes_in(path.read_text())}


def codes_in(source: str) -> Iterator[str]:
    """The codes of one file."""
    for node in ast.walk(ast.parse(source)):
        for value in _values(node):
            yield from _words(value)


def subclasses(parents: set[str]) -> dict[str, str]:
    """Every class below some classes, as the source has them, with its first base."""
    found: dict[str, str] = {}
    trees = [ast.parse(path.read_text()) for path in SOURCES]
    nodes = [each for tree in trees for each in ast.walk(tree) if isinstance(each, ast.ClassDef)]
    while new := {
        node.name: node.bases[0].id
        for node in nodes
        if node.bases
        and isinstance(node.bases[0], ast.Name)
        and node.bases[0].id in parents | found.keys()
        and node.name not in found
    }:
        found |= new
    return found


def raised_codes() -> Iterator[tuple[str, str]]:
    """Codes with the class of error that is raised with each instead of its own."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                values = [each.value for each in node.keywords if each.arg == "code"]
                yield from ((code, node.func.id) for each in values for code in _words(each))


def _values(node: ast.AST) -> Iterator[ast.expr]:
    """What stands where a code stands."""
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(each, ast.Name) and NAMES_CODE.fullmatch(each.id) for each in targets):
            yield node.value
    if isinstance(node, ast.Call):
        yield from (each.value for each in node.keywords if each.arg == "code")
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        place = PLACES.get(name)
        if place is not None and len(node.args) > place + 1:
            yield node.args[place]


def _words(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.JoinedStr):
        parts = (each.value if isinstance(each, ast.Constant) else "{}" for each in value.values)
        yield from FILLED_IN["".join(map(str, parts))]
    if isinstance(value, ast.Dict):
        for each in value.values:
            yield from _words(each)
    if isinstance(value, ast.Tuple):
        yield from _words(value.elts[0])
    if isinstance(value, ast.IfExp):
        yield from _words(value.body)
        yield from _words(value.orelse)
    if isinstance(value, ast.Call) and getattr(value.func, "id", "") == "MappingProxyType":
        yield from (code for each in value.args for code in _words(each))
    if isinstance(value, ast.Constant) and IS_CODE.fullmatch(str(value.value)):
        yield str(value.value)
