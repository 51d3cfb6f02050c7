"""The command line as programs use it: JSON on stdout, words on stderr, exit codes."""

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ledger.demo.sample import sample_lines
from tests.cli.conftest import ROOT, Run
from tests.servers import data_folder

SPAN = ("--from", "2026-04-01", "--to", "2026-06-01")


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """The bundled records as a compressed file."""
    path = tmp_path / "sample.ndjson.gz"
    path.write_bytes(gzip.compress(b"".join(sample_lines())))
    return path


def document(done: subprocess.CompletedProcess[str]) -> Any:
    """The one JSON document on stdout."""
    return json.loads(done.stdout)


def test_a_month_from_file_to_invoice(program: Run, sample: Path, tmp_path: Path) -> None:
    """Ingest, ask, limit, invoice, export, verify: each a process of its own, and one JSON document."""
    run = program
    run("meters", "set", "standard", "--percentage", "10")
    run("customers", "set", "acme", "--meter", "standard")
    limit = document(
        run("limits", "set", "acme", "--amount", "100.00", "--window", "total", "--json")
    )
    assert limit["thresholds"] == ["0.5", "0.8", "1"]

    counters = document(run("ingest", sample, "--json", code=1))
    assert counters["read"] == 3015
    assert [counters[name] for name in ("accepted", "duplicates", "conflicts", "rejected")] == [
        2951, 60, 1, 3,
    ]  # fmt: skip

    spend = document(run("spend", *SPAN, "--by", "customer", "--json"))
    acme = next(row for row in spend["rows"] if row["customer"] == "acme")
    alerts = document(run("alerts", "list", "--customer", "acme", "--json"))["alerts"]
    assert [alert["threshold"] for alert in alerts] == ["0.5", "0.8", "1"]
    assert {alert["spend"] for alert in alerts} == {acme["spend"]}
    assert alerts[0]["window_start"] is None

    april = document(run("invoices", "run", "--period", "2026-04", "--json"))
    assert (april["issued"], april["skipped"]) == (11, 1)
    number = april["invoices"][0]["number"]
    invoice = document(run("invoices", "show", number, "--format", "json"))
    assert invoice["total"] == april["invoices"][0]["total"]
    assert invoice["total"] in run("invoices", "show", number).stdout
    listed = document(run("invoices", "list", "--json"))["invoices"]
    assert [head["number"] for head in listed] == [f"INV-{n:06d}" for n in range(1, 12)]

    output = tmp_path / "out"
    manifest = document(run("export", "usage", "invoices", *SPAN, "--output", output, "--json"))
    assert {file["name"]: file["rows"] for file in manifest["files"]}["usage.csv"] == 2951
    assert json.loads((output / "manifest.json").read_text()) == manifest

    verified = document(run("verify", "--json"))
    assert verified["ok"]


def test_sending_a_file_again_is_all_duplicates(run: Run, sample: Path) -> None:
    """The same file adds nothing; its conflict stays one."""
    run("ingest", sample, code=1)

    counters = document(run("ingest", sample, "--json", code=1))

    assert (counters["accepted"], counters["duplicates"], counters["conflicts"]) == (0, 3011, 1)


def test_problems_are_written_where_they_are_asked_for(
    run: Run, sample: Path, tmp_path: Path
) -> None:
    """One JSON object a line: conflicts, rejects and unrated records."""
    run("ingest", sample, "--rejects", tmp_path / "problems.ndjson", code=1)

    lines = [json.loads(line) for line in (tmp_path / "problems.ndjson").read_text().splitlines()]

    outcomes = [line["outcome"] for line in lines]
    assert (outcomes.count("conflict"), outcomes.count("rejected"), outcomes.count("unrated")) == (
        1,
        3,
        56,
    )


def test_wrong_usage_says_what_to_do(run: Run, tmp_path: Path) -> None:
    """Exit code 2 for wrong words, missing files, an open period, a database that is not there."""
    assert "no such file" in run("ingest", tmp_path / "nothing.ndjson", code=2).stderr
    assert "2026-10-01" in run("spend", "--from", "yesterday", "--to", "2026-06-01", code=2).stderr
    assert (
        "later than from"
        in run("spend", "--from", "2026-06-01", "--to", "2026-06-01", code=2).stderr
    )
    assert "dry run" in run("invoices", "run", "--period", "9998-01", code=2).stderr
    assert "no customer" in run("limits", "set", "nobody", "--amount", "1", code=2).stderr
    away = run("verify", code=2, LEDGER_DATABASE_URL="postgresql://127.0.0.1:1/none").stderr
    assert "does not answer" in away


@pytest.mark.parametrize("password", ["half/secret", "half#secret", "half?secret"])
def test_a_password_that_breaks_the_address_is_not_repeated(run: Run, password: str) -> None:
    """What follows the name in the address is taken for a port then, and is no number."""
    address = f"postgresql://someone:{password}@127.0.0.1:1/none"
    said = run("verify", code=2, LEDGER_DATABASE_URL=address).stderr
    assert "LEDGER_DATABASE_URL is no address" in said
    assert "half" not in said
    assert "secret" not in said


def test_a_bad_rate_file_is_told_with_file_and_line(run: Run, tmp_path: Path) -> None:
    """Exit code 1, and each fault where it stands; a published version with other content too."""
    good = (ROOT / "pricing/rates/fireworks/2026-05-12.yaml").read_text()
    changed = tmp_path / "changed.yaml"
    changed.write_text(good.replace('"1.74"', '"1.75"'))
    broken = tmp_path / "broken.yaml"
    broken.write_text(good.replace('"1.74"', "1.74"))

    assert f"{broken}:" in run("rates", "validate", broken, code=1).stdout
    assert "changed.yaml:" in run("rates", "publish", changed, code=1).stderr
    assert (
        "published already"
        in run("rates", "publish", ROOT / "pricing/rates/fireworks/2026-05-12.yaml").stdout
    )


def test_an_interrupted_ingest_exits_3_and_may_be_repeated(
    run: Run, sample: Path, database_url: str
) -> None:
    """What was committed stays; the repeat takes the rest."""
    lines = b"".join(sample_lines())
    process = subprocess.Popen(
        [sys.executable, "-m", "ledger", "ingest", "-", "--json"],
        env={**os.environ, "LEDGER_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    # More than a pipe holds: when the write returns, the command is reading.
    process.stdin.write(lines[: len(lines) // 2])
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)

    assert process.returncode == 3, process.stderr.read()
    process.stdin.close()
    process.stderr.close()
    counters = document(run("ingest", sample, "--json", code=1))
    assert counters["accepted"] + counters["duplicates"] == 3011
    assert document(run("verify", "--json"))["ok"]


def test_the_demo_shows_the_main_job() -> None:
    """Everything holds, on a ledger of its own, without any setting."""
    with data_folder() as folder:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
        done = subprocess.run(
            [sys.executable, "-m", "ledger", "demo", "--json"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    shown = document(done)
    assert shown["verified"]["ok"]
    assert shown["counters"]["accepted"] == 2951
    assert [run["issued"] for run in shown["runs"]] == [11, 12]
    assert len(shown["alerts"]) == 3


def test_a_ledger_keeps_its_currency(run: Run) -> None:
    """Amounts of two currencies could not be told apart afterwards."""
    run("migrate")

    refused = run("spend", *SPAN, code=2, LEDGER_CURRENCY="EUR")

    assert "this ledger is in USD" in refused.stderr


def test_serving_on_a_taken_port_says_so(run: Run) -> None:
    """Exit code 2, before anything is begun."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run("serve", "--port", port, code=2, LEDGER_ADMIN_KEY="k" * 32)

    assert f"cannot listen on 127.0.0.1:{port}" in refused.stderr
