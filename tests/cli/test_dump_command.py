"""`ledger dump` and `ledger load` from the command line."""

import json
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from ledger.demo.sample import sample_lines
from ledger.store import migrations
from tests.cli.conftest import Run
from tests.servers import data_folder

DAMAGES = (
    ("manifest.json", b"no JSON", "is not what `ledger dump` writes"),
    ("manifest.json", b'{"format": 7}', "is of format 7"),
    ("manifest.json", None, "cannot be read"),
    ("batch.copy.zst", None, "is missing"),
    ("batch.copy.zst", b"cut", "has 3 bytes of"),
    ("notes.txt", b"mine", "is no part of the dump"),
)
SPAN = ("--from", "2026-04-01", "--to", "2026-06-01")


@pytest.fixture(autouse=True)
def few_months(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the template has: to make two years ahead takes longer than all else here."""
    monkeypatch.setattr(migrations, "MONTHS_AHEAD", 1)


@pytest.fixture
def dumped(run: Run, tmp_path: Path) -> Path:
    """A dump of the bundled records."""
    file = tmp_path / "sample.ndjson"
    file.write_bytes(b"".join(list(sample_lines())[:500]))
    run("ingest", file)
    run("dump", tmp_path / "dump")
    return tmp_path / "dump"


def document(run: Run, *words: object, **changes: str) -> Any:
    """The one JSON document that a command prints."""
    return json.loads(run(*words, "--json", **changes).stdout)


def test_a_ledger_moves_from_one_database_to_another(
    run: Run, dumped: Path, empty_url: str, tmp_path: Path
) -> None:
    """The same spend, the same seals; `verify` holds there, and a second dump has the same text."""
    loaded = document(run, "load", dumped, LEDGER_DATABASE_URL=empty_url)

    manifest = json.loads((dumped / "manifest.json").read_bytes())
    assert loaded["ok"]
    assert loaded["lanes"] == manifest["heads"]
    assert loaded["rows"] == sum(each["rows"] for each in manifest["tables"])
    for words in (("spend", *SPAN, "--by", "customer,model,day"), ("seal", "show")):
        here = document(run, *words)
        there = document(run, *words, LEDGER_DATABASE_URL=empty_url)
        del here["as_of"], there["as_of"]
        assert there == here
    assert document(run, "verify", LEDGER_DATABASE_URL=empty_url)["ok"]
    again = document(run, "dump", tmp_path / "again", LEDGER_DATABASE_URL=empty_url)
    assert again["tables"] == manifest["tables"]
    assert again["heads"] == manifest["heads"]


def test_a_ledger_moves_into_an_embedded_database(run: Run, dumped: Path) -> None:
    """Into a data folder that is not there yet; its seals are those of the database it came from."""
    with data_folder() as folder:
        elsewhere = {"LEDGER_DATABASE_URL": "", "LEDGER_DATA_DIR": str(folder / "ledger")}
        assert document(run, "load", dumped, **elsewhere)["ok"]
        moved = document(run, "seal", "show", **elsewhere)

    assert moved["lanes"] == document(run, "seal", "show")["lanes"]


def test_what_people_read(run: Run, dumped: Path, empty_url: str, tmp_path: Path) -> None:
    """How much of what was written, and what was checked."""
    written = run("dump", tmp_path / "other").stdout
    assert "usage_event" in written
    assert f"rows in {tmp_path / 'other'}, as of" in written

    read = run("load", dumped, "--no-verify", LEDGER_DATABASE_URL=empty_url).stdout

    assert "The seals of 1 lanes are those of the dump." in read
    assert "Digests were not computed anew; `ledger verify` does that." in read


def test_nobody_else_may_read_a_dump(dumped: Path) -> None:
    """It holds everything."""
    assert stat.S_IMODE(dumped.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in dumped.iterdir()} == {0o600}


def test_a_dump_takes_no_others_place(run: Run, dumped: Path, tmp_path: Path) -> None:
    """Exit code 2, and what is there stays; nothing is left of the attempt."""
    before = sorted(path.name for path in dumped.iterdir())
    refused = run("dump", dumped, code=2).stderr
    assert "is there already; name a folder that is new or empty" in refused
    (tmp_path / "file").touch()
    assert "cannot write" in run("dump", tmp_path / "file" / "dump", code=2).stderr
    assert sorted(path.name for path in dumped.iterdir()) == before
    assert not list(tmp_path.glob(".*"))


def test_a_dump_that_is_not_whole_is_wrong_usage(run: Run, dumped: Path, tmp_path: Path) -> None:
    """Exit code 2 with the file, before any database is asked, or an embedded one is started."""
    elsewhere = {"LEDGER_DATABASE_URL": "", "LEDGER_DATA_DIR": str(tmp_path / "no")}
    for number, (name, content, complaint) in enumerate(DAMAGES):
        copy = shutil.copytree(dumped, tmp_path / str(number))
        (copy / name).unlink(missing_ok=True)
        if content is not None:
            (copy / name).write_bytes(content)
        assert f"{name}: {complaint}" in run("load", copy, code=2, **elsewhere).stderr

    assert not (tmp_path / "no").exists()


def test_a_dump_of_another_version_or_currency_is_wrong_usage(
    run: Run, dumped: Path, database_url: str, empty_url: str
) -> None:
    """With what to do; and so is a target that is in use."""
    euros = run("load", dumped, code=2, LEDGER_DATABASE_URL=empty_url, LEDGER_CURRENCY="EUR").stderr
    assert "is of a ledger in USD; set LEDGER_CURRENCY" in euros
    used = run("load", dumped, code=2, LEDGER_DATABASE_URL=database_url).stderr
    assert "the target has a ledger with something in it" in used
    missing = run("load", dumped / "none", code=2).stderr
    assert "is no folder that can be read" in missing
