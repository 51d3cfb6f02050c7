"""The walls between the packages, held by reading every import and every name."""

import ast
from collections.abc import Iterator
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
CLOCK_CALLS = {"now", "utcnow", "today", "time", "monotonic"}


def module_name(path: Path) -> str:
    """`ledger/core/limits.py` -> `ledger.core.limits`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def part_of(module: str) -> str:
    """The most specific part that a module belongs to."""
    return max((part for part in ALLOWED if _is_within(module, part)), key=len)


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
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


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_dependencies_point_one_way(path: Path) -> None:
    """Thus: pricing <- core <- store <- services <- api, jobs, cli."""
    allowed = ALLOWED[part_of(module_name(path))]
    ours = [
        name
        for name in imports_of(path)
        if _is_within(name, "ledger") or _is_within(name, "pricing")
    ]

    strays = [
        name
        for name in ours
        if not any(
            name == part or (part != "ledger" and _is_within(name, part)) for part in allowed
        )
        and part_of(module_name(path)) != "ledger.bench"
    ]

    assert strays == []


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_only_the_store_talks_to_postgresql(path: Path) -> None:
    """The driver is imported in ledger.store alone; benches measure against it."""
    if any(_is_within(name, "asyncpg") for name in imports_of(path)):
        assert part_of(module_name(path)) in ("ledger.store", "ledger.bench")


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_libraries_that_watch_stay_where_they_are_used(path: Path) -> None:
    """One place makes lines of the log; what is counted and shown as metrics has three."""
    imported, module = list(imports_of(path)), module_name(path)
    if any(_is_within(name, "structlog") for name in imported):
        assert module == "ledger.logs"
    if any(_is_within(name, "prometheus_client") for name in imported):
        homes = ("ledger.metrics", "ledger.services.observing", "ledger.api.metrics")
        assert any(_is_within(module, home) for home in homes)


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_only_traces_know_how_they_are_collected(path: Path) -> None:
    """Others say what a span is; where there is no collector, nothing of OpenTelemetry is loaded."""
    if any(_is_within(name, "opentelemetry") for name in imports_of(path)):
        assert part_of(module_name(path)) == "ledger.traces"


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if part_of(module_name(path)) in PURE], ids=module_name
)
def test_the_core_only_computes(path: Path) -> None:
    """No I/O module, no clock, no randomness, no float in pricing and ledger.core."""
    assert not {name.partition(".")[0] for name in imports_of(path)} & IMPURE_MODULES
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in CLOCK_CALLS, f"line {node.lineno} asks a clock"
        assert not (isinstance(node, ast.Name) and node.id == "float"), f"line {node.lineno}"
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), (
            f"line {node.lineno}"
        )


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_only_the_clock_module_reads_the_clock(path: Path) -> None:
    """Everything else is given the time."""
    if module_name(path) == "ledger.clock" or part_of(module_name(path)) == "ledger.bench":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"):
            assert not (isinstance(node.value, ast.Name) and node.value.id in ("datetime", "date"))


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_sql_lives_in_sql(path: Path) -> None:
    """No statement is written in Python; the store may set a session's role."""
    tree = ast.parse(path.read_text())
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            words = node.value.split()
            if len(words) > 2 and words[0] in (
                "SELECT",
                "INSERT",
                "UPDATE",
                "DELETE",
                "CREATE",
                "COPY",
            ):
                assert part_of(module_name(path)) == "ledger.bench" or "embedded" in str(path), (
                    node.value
                )


def test_every_test_module_has_a_name_of_its_own() -> None:
    """Two of one name in different folders cannot be collected in one run."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(set(names)) == sorted(names)
