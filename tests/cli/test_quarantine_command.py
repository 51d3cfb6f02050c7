"""`ledger quarantine`: what was refused, seen, mended and sent again from the command line."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ROOT, Run

AT = "2026-11-19T08:00:00Z"
MODEL = "accounts/fireworks/models/llama-v3p3-70b-instruct"
WIDTH = 80


def record(request_id: str, **fields: Any) -> dict[str, Any]:
    """A request of a million input tokens, for 0.90 USD."""
    return {
        "request_id": request_id,
        "customer_id": "acme",
        "model": MODEL,
        "input_tokens": 1_000_000,
        "timestamp": AT,
        **fields,
    }


def ingest(run: Run, folder: Path, *records: dict[str, Any], code: int = 1) -> None:
    """Record requests from a file."""
    file = folder / "records.ndjson"
    file.write_text("".join(json.dumps(each) + "\n" for each in records))
    run("ingest", file, code=code)


def document(run: Run, *words: object, code: int = 0) -> Any:
    """The one JSON document that a command prints."""
    return json.loads(run("quarantine", *words, "--json", code=code).stdout)


def ids(run: Run, *words: object) -> dict[str, str]:
    """The ids of what is listed, by request."""
    rows = document(run, "list", *words)["quarantine"]
    return {row["request_id"]: row["quarantine_id"] for row in rows}


def test_from_refusal_to_record(run: Run, tmp_path: Path) -> None:
    """Verify points to the list, the list to what is wrong; once mended, all of it lands and is gone."""
    hostile = "\x1b]0;title\x07\u202eevil"
    ingest(
        run,
        tmp_path,
        record("meter", meter_slug="pro"),
        record(hostile, customer_id=hostile, images=-1),
        record("key", images="x", provider_key="sk-0123456789abcdefghij"),
    )

    [note] = [
        check
        for check in json.loads(run("verify", "--json").stdout)["checks"]
        if check["name"] == "quarantined"
    ]
    assert (note["ok"], note["warning"], note["count"]) == (True, True, 3)
    words = note["offenders"][0]["command"].split()
    assert words[:3] == ["ledger", "quarantine", "list"]
    assert "request_id" in run(*words[1:], "--json").stdout

    listed = run("quarantine", "list").stdout
    assert "unknown_meter" in listed
    assert "\x1b" not in listed
    assert "\u202e" not in listed
    names = ids(run)
    assert set(names) == {"meter", hostile, "key"}
    assert set(ids(run, "--code", "out_of_range", "--customer", hostile)) == {hostile}
    shown = run("quarantine", "show", names[hostile]).stdout
    assert "out_of_range: images: must be" in shown
    assert "\x1b" not in shown
    assert "sk-0123456789" not in run("quarantine", "show", names["key"]).stdout

    assert document(run, "replay", names["meter"], code=1)["rejected"] == 1
    assert "unknown_meter" in run("quarantine", "replay", names["meter"], code=1).stdout
    run("meters", "set", "pro", "--percentage", "10")
    assert document(run, "replay", "--all", "--code", "unknown_meter")["accepted"] == 1
    assert "3 sent again" not in run("quarantine", "replay", "--all", code=1).stdout
    dismissed = run(
        "quarantine", "dismiss", names[hostile], names["key"], "--reason", "a test"
    ).stdout
    assert dismissed.count("dismissed q_") == 2
    assert run("quarantine", "list").stdout == "Quarantine: none\n"
    assert json.loads(run("verify", "--json").stdout)["ok"]


def test_a_conflict_stands_side_by_side(run: Run, tmp_path: Path) -> None:
    """What was sent beside what is recorded, the fields that differ marked."""
    ingest(run, tmp_path, record("r1"), code=0)
    ingest(run, tmp_path, record("r1", input_tokens=5, metadata={"a": "b"}, provider="fireworks"))
    [name] = ids(run, "--outcome", "conflict").values()

    shown = run("quarantine", "show", name).stdout
    lines = [line.split() for line in shown.splitlines()]

    assert ["*", "input_tokens", "5", "1000000"] in lines
    assert ["customer_id", "acme", "acme"] in lines
    assert document(run, "show", name)["conflict"]["differences"] == [
        {"field": "input_tokens", "sent": 5, "recorded": 1_000_000}
    ]
    assert document(run, "replay", "--all", code=1)["conflicts"] == 1
    run("adjust", "r1", "--input-tokens", 5, "--reason", "the second was right")
    assert "corrected since" in run("quarantine", "show", name).stdout


def test_tables_fit_a_terminal_of_80_columns(run: Run, database_url: str, tmp_path: Path) -> None:
    """With ids of every length; whatever is too long is folded, not cut."""
    long_id = "req_" + "0123456789" * 5
    wide = [record(long_id, model="m" * 100), record("r2", meter_slug="pro", customer_id="c" * 60)]
    ingest(run, tmp_path, *wide)
    ingest(run, tmp_path, record(long_id, model="n" * 100, input_tokens=5))
    names = ids(run)
    whole = ""
    for words in (("list",), ("show", names[long_id]), ("replay", names["r2"])):
        code = 1 if words[0] == "replay" else 0
        lines = on_a_terminal(database_url, "quarantine", *words, code=code)
        whole = whole or "\n".join(lines)
        if words[0] == "show":  # what stands before the table are lines of text
            lines = lines[lines.index(next(line for line in lines if "* differs" in line)) :]
        assert max(map(len, lines)) <= WIDTH, lines
    assert all(name in whole for name in names.values())


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("show", "q_0"), "no record 'q_0' in quarantine"),
        (("replay", "q_0"), "no record 'q_0' in quarantine"),
        (("dismiss", "q_0", "--reason", "a test"), "no record 'q_0' in quarantine"),
        (("dismiss", "q_0"), "--reason"),
        (("dismiss", "q_0", "--reason", ""), "must have 1 to 1000 characters"),
        (("replay",), "or say --all"),
        (("replay", "q_0", "--all"), "or say --all"),
        (("replay", "q_0", "--code", "x"), "or say --all"),
        (("list", "--outcome", "lost"), "lost"),
        (("show", "\udcff"), "no record"),
    ],
)
def test_wrong_usage_is_told(run: Run, words: tuple[str, ...], complaint: str) -> None:
    """Exit code 2, in words."""
    assert complaint in run("quarantine", *words, code=2).stderr


def test_processes_that_meet_land_each_record_once(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    """Two that are refused the same, then two that replay: each counted once, none of them fails."""
    file = tmp_path / "records.ndjson"
    lines = [record(f"r{number}", meter_slug="pro", input_tokens=1) for number in range(500)]
    file.write_text("".join(json.dumps(each) + "\n" for each in lines))

    sent = at_once(database_url, "ingest", str(file), "--json")
    assert [each["rejected"] for each in sent] == [500, 500]
    listed = document(run, "list", "--limit", 1000)
    assert len(listed["quarantine"]) == 500
    assert {row["sightings"] for row in listed["quarantine"]} == {2}
    run("meters", "set", "pro", "--percentage", "10")
    replayed = at_once(database_url, "quarantine", "replay", "--all", "--json")

    assert sum(each["accepted"] for each in replayed) == 500
    assert sum(each["rejected"] + each["conflicts"] for each in replayed) == 0
    assert document(run, "list") == {"quarantine": [], "has_more": False, "not_kept": 0}
    assert json.loads(run("verify", "--json").stdout)["ok"]
    span = ("--from", "2026-11-01", "--to", "2026-12-01", "--json")
    assert json.loads(run("spend", *span).stdout)["totals"]["requests"] == 500


def at_once(database_url: str, *words: str) -> list[Any]:
    """What two processes that run the same command print."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "ledger", *words],
            env=environment_of(database_url),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ends = [process.communicate(timeout=120) for process in running]
    assert all(out for out, _ in ends), ends
    return [json.loads(out) for out, _ in ends]


def on_a_terminal(database_url: str, *words: str, code: int) -> list[str]:
    """The lines that a command prints where it believes in a terminal."""
    script = (
        "import sys; sys.stdout.isatty = lambda: True\n"
        "from ledger.cli.main import main\n"
        "main(prog_name='ledger')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        env=environment_of(database_url) | {"COLUMNS": str(WIDTH)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout).splitlines()


def environment_of(database_url: str) -> dict[str, str]:
    """What a process needs to work on the fresh database."""
    return {**os.environ, "LEDGER_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)}
