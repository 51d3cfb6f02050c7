"""Commands that no test types, each with the reason; a page named alone is left out whole."""

PAGES = {
    "docs/backup.md": "a server of its own that archives: tests/scenarios/test_recovery.py types them",
    "docs/containers.md": "Docker: tests/test_container_build.py",
    "docs/command-line.md": "shells, mail and a terminal: tests/cli/test_help.py",
    "docs/moving.md": "two servers: tests/store/test_dump_round_trip.py",
    "docs/explain.md": "compared whole, page by page, by tests/scenarios/test_explain_invoices.py",
    "docs/rate-imports.md": "the lists of others: tests/cli/test_rates_import.py has small ones",
}

COMMANDS = {
    (
        "README.md",
        "scripts/demo",
    ): "sets up an environment: tests/cli/test_commands.py runs the demo",
    ("README.md", "scripts/test"): "the whole suite",
    ("README.md", "export LEDGER_DATA_DIR"): "tests/documents/test_first_record.py",
    ("README.md", "export LEDGER_ADMIN_KEY"): "tests/documents/test_first_record.py",
    ("README.md", "scripts/ledger serve"): "tests/documents/test_first_record.py",
    (
        "docs/logs.md",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ): "a collector: tests/scenarios/test_traces.py has one",
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
