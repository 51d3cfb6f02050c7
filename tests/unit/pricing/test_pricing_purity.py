"""The package only computes, and its source shows it."""

import ast
import sys
from pathlib import Path

import pytest

import pricing

MODULES = sorted(Path(pricing.__file__).parent.rglob("*.py"))
OUTSIDE = {"msgspec", "pricing", "yaml"}
IMPURE = {"asyncio", "os", "pathlib", "random", "secrets", "socket", "subprocess", "time", "uuid"}


def imported(tree: ast.AST) -> set[str]:
    """Name the top-level packages that a module imports."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_a_module_has_no_float_no_clock_and_no_input(module: Path) -> None:
    """No float, no true division, no clock, and imports of stdlib, msgspec and yaml only."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
        assert not isinstance(node, ast.Div)
        assert not (isinstance(node, ast.Name) and node.id in {"float", "open", "round"})
        assert not (isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow"})
    names = imported(tree)
    assert names <= OUTSIDE | sys.stdlib_module_names
    assert not names & IMPURE


def test_only_the_shipped_tables_are_read_from_disk() -> None:
    """One module reads the packaged files; no other knows where they are."""
    readers = [module.stem for module in MODULES if "importlib" in module.read_text("utf-8")]
    assert readers == ["shipped"]


def test_the_public_names_are_sorted_and_there() -> None:
    """What the package promises to offer can be found in it, in order."""
    assert all(hasattr(pricing, name) for name in pricing.__all__)
    assert len(set(pricing.__all__)) == len(pricing.__all__)
