"""The walls between the packages, held by reading every import and every name."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*(ROOT / "ledger").rglob("*.py"), *(ROOT / "pricing").rglob("*.py")])

# What each part of the product may import of the others, itself included.
CORE = ("pricing", "ledger.core")
STORE = (*CORE, "ledger.store", "ledger.logs")
SERVICES = (
    *STORE,
    "ledger.services",
    "ledger.metrics",
    "ledger.clock",
    "ledger.randomness",
    "ledger.exports",
    "ledger.traces.spans",
)
SHELL = (*SERVICES, "ledger.bootstrap", "ledger.settings", "ledger.traces")
ALLOWED = {
    "pricing": ("pricing",),
    "ledger.core": CORE,
    "ledger.exports": ("ledger.exports", *CORE),
    "ledger.store": (*STORE, "ledger"),  # `ledger` itself, to find the packaged SQL
    "ledger.services": SERVICES,
    "ledger.bootstrap": SHELL,
    "ledger.api": (*SHELL, "ledger.api", "ledger"),
    "ledger.jobs": (*SHELL, "ledger.jobs"),
    "ledger.demo": (*SHELL, "ledger.demo"),
    "ledger.cli": (*SHELL, "ledger.cli", "ledger.api", "ledger.jobs", "ledger.demo", "ledger"),
    "ledger.bench": ("ledger", "pricing"),
    "ledger.settings": ("ledger.core",),
    "ledger.logs": ("ledger.core", "ledger.stories"),
    "ledger.stories": (),
    "ledger.traces": ("ledger.traces", "ledger.core", "ledger.logs", "ledger"),
    "ledger.clock": (),
    "ledger.metrics": ("ledger.metrics",),
    "ledger.randomness": ("ledger.core",),
    "ledger.__main__": ("ledger.cli",),
    "ledger": (),
}
PURE = ("pricing", "ledger.core")
IMPURE_MODULES = {
    "asyncio", "asyncpg", "httpx", "litestar", "uvicorn", "apscheduler", "os", "random", "secrets",
    "socket", "subprocess", "sys", "tempfile", "threading", "time", "uuid", "logging",
}  # fmt: skip
# Libraries that only some may import: the driver, which benches measure against, and what watches.
HOMES = {
    "asyncpg": ("ledger.store", "ledger.bench"),
    "structlog": ("ledger.logs",),
    "prometheus_client": ("ledger.metrics", "ledger.services.observing", "ledger.api.metrics"),
    "opentelemetry": ("ledger.traces",),
}
STATEMENTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "COPY")
CLOCK_CALLS = {"now", "utcnow", "today", "time", "monotonic"}


def module_name(path: Path) -> str:
    """`ledger/core/limits.py` -> `ledger.core.limits`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def part_of(module: str) -> str:
    """The most specific part that a module belongs to."""
    return max((part for part in ALLOWED if _is_within(module, part)), key=len)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Every module that a file imports, wherever in it."""
    return frozenset(_imported(path))


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module in (
                "ledger",
                "ledger.api",
                "ledger.cli",
            ):  # `from package import module`
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


def _is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _is_allowed(name: str, part: str) -> bool:
    return any(
        name == allowed or (allowed != "ledger" and _is_within(name, allowed))
        for allowed in ALLOWED[part]
    )


def test_dependencies_point_one_way() -> None:
    """Thus: pricing <- core <- store <- services <- api, jobs, cli."""
    strays = [
        (module_name(path), name)
        for path in SOURCES
        for name in imports_of(path)
        if _is_within(name, "ledger") or _is_within(name, "pricing")
        if (part := part_of(module_name(path))) != "ledger.bench" and not _is_allowed(name, part)
    ]
    assert strays == []


@pytest.mark.parametrize("library", HOMES)
def test_a_library_stays_where_it_is_used(library: str) -> None:
    """Who wants more of it asks those who have it: for the driver and all that watches."""
    users = {
        module_name(path)
        for path in SOURCES
        if any(_is_within(name, library) for name in imports_of(path))
    }
    assert users
    homes = HOMES[library]
    assert [user for user in users if not any(_is_within(user, home) for home in homes)] == []


def test_the_core_only_computes() -> None:
    """No I/O module, no clock, no randomness, no float in pricing and ledger.core."""
    for path in SOURCES:
        if part_of(module_name(path)) not in PURE:
            continue
        assert not {name.partition(".")[0] for name in imports_of(path)} & IMPURE_MODULES, path
        for node in ast.walk(tree_of(path)):
            where = f"{path}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in CLOCK_CALLS, f"{where} asks a clock"
            assert not (isinstance(node, ast.Name) and node.id == "float"), where
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), where


def test_only_the_clock_module_reads_the_clock() -> None:
    """Everything else is given the time."""
    for path in SOURCES:
        if part_of(module_name(path)) in ("ledger.clock", "ledger.bench"):
            continue
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"):
                of = node.value
                is_clock = isinstance(of, ast.Name) and of.id in ("datetime", "date")
                assert not is_clock, f"{path}:{node.lineno}"


def test_sql_lives_in_sql() -> None:
    """No statement is written in Python; the store may set a session's role."""
    for path in SOURCES:
        if part_of(module_name(path)) == "ledger.bench" or "embedded" in path.parts:
            continue
        tree = tree_of(path)
        prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and id(node) not in prose:
                words = str(node.value).split()  # type: ignore[attr-defined]
                is_statement = len(words) > 2 and words[0] in STATEMENTS
                assert not is_statement, f"{path}:{node.lineno}"  # type: ignore[attr-defined]


def test_every_test_module_has_a_name_of_its_own() -> None:
    """Two of one name in different folders cannot be collected in one run."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(set(names)) == sorted(names)
