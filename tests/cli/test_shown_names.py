"""Names on a terminal: shown, and never let to drive it; whole in `--json` and CSV."""

import csv
import json
import os
import pty
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.awkward_names import NAMES, SPAN, named_lines, named_record
from tests.cli.conftest import ROOT, Run

DRIVING = ("Cc", "Cf", "Cs", "Zl", "Zp")
JOINERS = "\u200c\u200d"  # they only join the parts of an emoji
DATES = ("--from", SPAN["from"], "--to", SPAN["to"])


def driving(text: str) -> str:
    """The characters of an output that could drive a terminal; lines may end."""
    return "".join(
        character
        for character in text
        if unicodedata.category(character) in DRIVING and character not in f"\n{JOINERS}"
    )


@pytest.fixture
def named(run: Run, tmp_path: Path) -> Run:
    """A ledger that was given every name from a file, and then a conflict for each."""
    file = tmp_path / "named.ndjson"
    file.write_bytes(named_lines())
    taken = json.loads(run("ingest", file, "--json").stdout)
    assert (taken["accepted"], taken["rejected"]) == (len(NAMES), 0)
    conflicts = [json.dumps(named_record(name) | {"input_tokens": 11}) for name in NAMES]
    file.write_text("\n".join(conflicts))
    return run


HARMFUL = ("\x1b[2J\x1b]0;title\x07", "\u202egpj.acme\u202c", "line\nbreak")
COMMANDS: list[tuple[Sequence[str], int]] = [
    (("customers", "list"), 0),
    (("spend", *DATES, "--by", "customer,provider,model"), 0),
    (("unrated",), 0),
    (("verify",), 0),
    (("limits", "list"), 0),
]


def test_no_name_drives_the_terminal(named: Run, tmp_path: Path) -> None:
    """Neither in tables nor in sentences, on stdout or on stderr; the names are there all the same."""
    for name in HARMFUL:
        named("limits", "set", name, "--amount", "1.00", "--window", "month")
    outputs = [named("ingest", tmp_path / "named.ndjson", code=1)]
    outputs += [named(*words, code=code) for words, code in COMMANDS]
    for name in HARMFUL:
        outputs.append(named("explain", name, "--customer", name))
        outputs.append(named("customers", "show", name))
    for done in outputs:
        assert driving(done.stdout) == "", done.args
        assert driving(done.stderr) == "", done.args
    listed = outputs[1].stdout
    for name in ('it\'s "quoted" `so`', "東京", "👩\u200d💻", "[bold red]markup[/]"):
        assert name in listed
    assert r"\x1b[2J\x1b]0;title\x07" in listed
    assert r"\u202egpj.acme\u202c" in listed


@pytest.mark.usefixtures("named")
def test_no_name_drives_a_real_terminal(database_url: str) -> None:
    """Where tables are styled and folded to its width, styles are all that is not text."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ledger", "customers", "list"],
        env={**os.environ, "LEDGER_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)}
        | {"TERM": "dumb", "COLUMNS": "300"},
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    shown = b""
    with open(ours, "rb", buffering=0) as terminal:  # noqa: PTH123 - a file that is open already
        while piece := _read(terminal.fileno()):
            shown += piece
    assert process.wait(timeout=30) == 0
    text = shown.decode().replace("\r\n", "\n")
    assert r"\x1b[2J" in text
    assert driving(text) == ""


def _read(descriptor: int) -> bytes:
    """What a terminal shows next; nothing once the program has left it."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def test_json_and_csv_have_the_names_as_they_are(named: Run, tmp_path: Path) -> None:
    """CSV with a quote before what a spreadsheet would take for a formula."""
    listed = json.loads(named("customers", "list", "--json").stdout)
    customers = listed["customers"] if isinstance(listed, dict) else listed
    assert sorted(each["customer_id"] for each in customers) == sorted(NAMES)
    named("export", "usage", *DATES, "--output", tmp_path / "out")
    with (tmp_path / "out" / "usage.csv").open(newline="", encoding="utf-8") as file:
        shown = sorted(row["customer_id"] for row in csv.DictReader(file))
    assert shown == sorted(f"'{name}" if name[0] in "=+-@\t\r" else name for name in NAMES)
