"""Commands that no test types, each with the reason; a page named alone is left out whole."""

PAGES = {
    "docs/backup.md": "needs a server of its own that archives: scripts/try-recovery and its test run them",
    "docs/containers.md": "needs Docker: tests/test_containers.py",
    "docs/command-line.md": "shells and pipes of the reader",
    "docs/monitoring.md": "needs a Prometheus",
    "docs/moving.md": "two servers: tests/store/test_dump_round_trip.py",
    "docs/explain.md": "tests/scenarios/test_explain*.py print these pages and compare them whole",
    "docs/rate-imports.md": "needs the lists of others: tests/cli/test_rates_import.py has small ones",
}

COMMANDS = {
    ("README.md", "scripts/demo"): "sets up an environment; the demo itself has tests",
    ("README.md", "scripts/test"): "the whole suite",
    ("README.md", "export LEDGER_DATA_DIR"): "tests/documents/test_first_record.py",
    ("README.md", "export LEDGER_ADMIN_KEY"): "tests/documents/test_first_record.py",
    ("README.md", "scripts/ledger serve"): "tests/documents/test_first_record.py",
}

# Commands that end with another exit code than 0, as their pages say.
ENDS_WITH = {
    ("README.md", "scripts/ledger ingest"): 1,  # some of the bundled records are refused
}


def reason_to_leave_out(page: str, text: str) -> str | None:
    """Why a command is not typed, or None."""
    named = (why for (on, start), why in COMMANDS.items() if on == page and text.startswith(start))
    return PAGES.get(page) or next(named, None)


def code_of(page: str, text: str) -> int:
    """The exit code that a command is to end with."""
    named = (
        code for (on, start), code in ENDS_WITH.items() if on == page and text.startswith(start)
    )
    return next(named, 0)
