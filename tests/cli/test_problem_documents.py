"""What a command could not do, as a document where JSON was asked for."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import click
import pytest

from ledger.cli.problems import CODES, problem_document
from ledger.cli.running import EXIT_CODES, INTERRUPTED
from ledger.core.errors import InvalidParameter, LedgerError
from tests.cli.conftest import ROOT, Run

PAGE = (ROOT / "docs" / "errors.md").read_text().partition("## Codes of the command line")[2]


def problem(run: Run, *words: object, code: int, **changes: str) -> dict[str, Any]:
    """The one document on stdout; stderr has the words all the same."""
    done = run(*words, "--json", code=code, **changes)
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["error"]["exit_code"] == code
    assert document["error"]["message"].splitlines()[0] in done.stderr
    return document


def test_what_the_ledger_refuses_has_its_code(run: Run) -> None:
    """The same as over HTTP, with the fields that are to blame."""
    unknown = problem(run, "customers", "show", "nobody", code=2)
    assert unknown == {
        "error": {"message": "no customer 'nobody'", "code": "not_found", "exit_code": 2}
    }

    refused = problem(run, "adjust", "r1", "--reason", "", "--input-tokens", "-1", code=2)
    assert refused["error"]["code"] == "invalid_record"
    assert {fault["field"] for fault in refused["errors"]} == {"reason", "input_tokens"}


def test_a_bad_rate_file_has_its_lines(run: Run, tmp_path: Path) -> None:
    """Each fault with file and line, as in its words; the exit code says that there are problems."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("provider: fireworks\nversion: 1\n")

    refused = problem(run, "rates", "publish", broken, code=1)

    assert refused["error"]["code"] == "invalid_rate_file"
    for fault in refused["errors"]:
        assert f"broken.yaml:{fault['line']}: {fault['message']}" in refused["error"]["message"]


@pytest.mark.parametrize(
    "words",
    [
        ("spend", "--from", "soon", "--to", "2026-06-01"),
        ("spend", "--from", "2026-06-01"),
        ("spend", "--sideways"),
        ("ingest", "nothing.ndjson"),
        ("quarantine", "replay"),
        ("customers", "rename"),
        ("seal", "check", "nothing.json"),
    ],
)
def test_wrong_usage_is_one_document_too(run: Run, words: tuple[str, ...]) -> None:
    """Whether the words cannot be read or do not go together; how it is used stands on stderr."""
    assert problem(run, *words, code=2)["error"]["code"] == "wrong_usage"


def test_without_json_stdout_stays_empty(run: Run) -> None:
    """Words for people go to stderr alone."""
    for words in (("customers", "show", "nobody"), ("spend", "--from", "soon")):
        done = run(*words, code=2)
        assert done.stdout == ""
        assert done.stderr != ""


def test_a_database_that_is_away_is_told(run: Run) -> None:
    """With why, as the one who asks sits at the machine."""
    away = "postgresql://127.0.0.1:1/none"
    assert (
        problem(run, "verify", code=2, LEDGER_DATABASE_URL=away)["error"]["code"]
        == "database_unavailable"
    )


def test_every_kind_of_failure_has_a_code_and_an_exit_code() -> None:
    """And the page has a line for each code that is the command line's own."""
    assert CODES.keys() | {LedgerError} == EXIT_CODES.keys()
    documented = dict(re.findall(r"^\| `(\w+)` \| (\d) \|", PAGE, re.MULTILINE))
    assert {code: int(documented[code]) for code in documented} == {
        code: EXIT_CODES[kind] for kind, code in CODES.items()
    }


@pytest.mark.parametrize("error", [KeyboardInterrupt(), asyncio.CancelledError()])
def test_an_interruption_says_that_it_is_safe_to_repeat(error: BaseException) -> None:
    """As a document as well."""
    document = problem_document(error, INTERRUPTED)["error"]
    assert document["code"] == "interrupted"
    assert "safe to run the command again" in document["message"]


def test_fields_are_named_where_there_are_any() -> None:
    """Nothing stands in their place where there are none."""
    assert problem_document(InvalidParameter("by", "must be known"), 2)["errors"][0].field == "by"
    assert "errors" not in problem_document(click.UsageError("no"), 2)
    assert "errors" not in problem_document(OSError("full"), 2)
