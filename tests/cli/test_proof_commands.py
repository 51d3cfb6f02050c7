"""Corrections, seals, redaction and verify from the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

ID = "req_01K7QJT2YSVV0YR2NPK4Z2GRXQ"
LINES = (
    {"request_id": ID, "customer_id": "acme", "model": "accounts/fireworks/models/llama-v3p3-70b-instruct",
     "input_tokens": 845, "output_tokens": 412, "metadata": {"email": "jane@example.com"}},
    {"request_id": "p", "customer_id": "acme", "status": "pending", "timestamp": "2026-05-01T00:00:00Z"},
    {"request_id": "e", "customer_id": "bolt", "status": "error", "timestamp": "2026-05-01T00:00:00Z"},
)  # fmt: skip
WHY = ("--reason", "counted twice")


@pytest.fixture(autouse=True)
def records(run: Run, tmp_path: Path) -> None:
    """One completed request, a pending one and an error."""
    file = tmp_path / "records.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    run("ingest", file)


def document(run: Run, *words: object, code: int = 0) -> Any:
    """The one JSON document that a command prints."""
    return json.loads(run(*words, "--json", code=code).stdout)


def test_a_correction_and_a_void(run: Run) -> None:
    """The request is shown with its history; nothing to say about it is left out."""
    body = document(run, "adjust", ID, "--output-tokens", 400, *WHY, "--idempotency-key", "k")
    assert [each["output_tokens"] for each in body["revisions"]] == [412, -412, 400]
    assert [each["reason"] for each in body["revisions"]] == [
        None,
        "counted twice",
        "counted twice",
    ]

    again = run("adjust", ID, "--output-tokens", 400, *WHY, "--idempotency-key", "k")
    assert "recorded under this idempotency key before" in again.stdout
    unchanged = run("adjust", ID, "--output-tokens", 400, *WHY).stdout
    assert "nothing to change: that is what stands already" in unchanged
    unrated = run("adjust", ID, "--images", 1, *WHY).stdout
    assert "spend 0.001120500000 -> UNRATED" in unrated
    void = run("adjust", ID, "--void", *WHY).stdout
    assert "voided, revision 6" in void
    assert void.endswith("-> 0.000000000000\n")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((ID, "--output-tokens", "-1"), "output_tokens: must be an integer from 0"),
        ((ID, "--output-tokens", "many"), "output_tokens: must be an integer from 0"),
        ((ID, "--input-seconds", "0.0000001"), "input_seconds: must be a number of seconds"),
        ((ID,), "a correction must state at least one"),
        ((ID, "--void", "--output-tokens", "1"), "output_tokens: must be left out of a void"),
        (("nobody", "--void"), "no request 'nobody'"),
        (("p", "--void"), "the request has not completed"),
        (("\udcff", "--void"), "no request"),
        ((ID, "--void", "--customer", "\udcff"), "customer_id: must be a string"),
        ((ID, "--output-tokens", "[" * 5000), "output_tokens: must be an integer"),
    ],
)
def test_what_cannot_be_adjusted_is_wrong_usage(
    run: Run, words: tuple[str, ...], complaint: str
) -> None:
    """Exit code 2 with the field and the rule."""
    assert complaint in run("adjust", *words, *WHY, code=2).stderr


def test_a_reason_must_be_given(run: Run) -> None:
    """Nobody corrects without one."""
    assert "--reason" in run("adjust", ID, "--void", code=2).stderr
    assert "--reason" in run("redact", ID, code=2).stderr


def test_unmetered_requests_are_listed(run: Run) -> None:
    """What was seen and never completed, of all customers or of one, of both kinds or of one."""
    listed = document(run, "unmetered")
    assert {each["request_id"] for each in listed["requests"]} == {"p", "e"}
    assert not listed["has_more"]
    assert [
        each["request_id"] for each in document(run, "unmetered", "--status", "error")["requests"]
    ] == ["e"]
    cut = document(run, "unmetered", "--limit", 1)
    assert (len(cut["requests"]), cut["has_more"]) == (1, True)
    assert "pending" in run("unmetered", "--customer", "acme").stdout


def test_heads_that_were_kept_hold(run: Run, tmp_path: Path) -> None:
    """What `seal show` printed is what `seal check` and `verify --heads` take, from a file or stdin."""
    file = tmp_path / "heads.json"
    heads = document(run, "seal", "show")
    file.write_text(json.dumps(heads))
    assert {"lane", "batch", "recorded_at", "digest"} == set(heads["lanes"][0])
    assert heads["lanes"][0]["digest"] in run("seal", "show").stdout
    run("adjust", ID, "--void", *WHY)

    assert document(run, "seal", "check", file)["ok"]
    assert "events are as they were" in run("seal", "check", file).stdout
    assert "ok  seals_hold" in run("verify", "--heads", file).stdout
    heads["lanes"][0]["digest"] = "00" * 32
    file.write_text(json.dumps(heads))
    assert "FAILED  lane 1" in run("seal", "check", file, code=1).stdout
    assert "FAILED  seals_hold: 1" in run("verify", "--heads", file, code=1).stdout
    file.write_text("{}")
    assert "seal show --json" in run("seal", "check", file, code=2).stderr


def test_verify_goes_on_where_it_ended(run: Run) -> None:
    """The point that a run names is where the next one can begin."""
    first = document(run, "verify")
    run("adjust", ID, "--void", *WHY)

    second = document(run, "verify", "--since", first["as_of"])

    assert (first["ok"], second["ok"]) == (True, True)
    assert run("verify").stdout.splitlines()[-1].startswith("as of ")
    assert (
        "as_of that `ledger verify` printed"
        in run("verify", "--since", "2026-01-01", code=2).stderr
    )
    gone = run("verify", "--since", "1-999", code=1).stdout
    assert "FAILED  log_reaches_since: 1" in gone
    assert "The log itself was altered" in gone


@pytest.mark.parametrize(
    "words",
    [
        ("redact", ID, *WHY, "--customer", "\udcff"),
        ("redact", ID, *WHY, "--field", "metadata.\udcff"),
        ("explain", ID, "--customer", "\udcff"),
        ("explain", "INV-\udcff"),
        ("unmetered", "--customer", "\udcff"),
    ],
)
def test_bytes_that_are_no_text_name_nothing(run: Run, words: tuple[str, ...]) -> None:
    """They are told so, and no traceback."""
    done = run(*words, code=0 if words[0] == "unmetered" else 2)

    assert "Traceback" not in done.stderr
    assert "database failed" not in done.stderr


def test_words_are_erased(run: Run) -> None:
    """One pair, then all; what carries money is refused by name."""
    erased = document(run, "redact", ID, "--field", "metadata.email", *WHY)
    assert erased == {
        "request_id": ID, "erased": ["metadata.email"], "erased_before": [], "not_there": [],
    }  # fmt: skip
    said = run("redact", ID, "--field", "metadata.emial", *WHY).stdout
    assert said == "erased before: metadata.email\nnot there: metadata.emial\n"
    assert run("redact", "p", *WHY).stdout == "not there: fields, metadata, response_id\n"
    assert (
        "input_tokens: is what" in run("redact", ID, "--field", "input_tokens", *WHY, code=2).stderr
    )
    assert "ok  texts_match_digests" in run("verify").stdout
