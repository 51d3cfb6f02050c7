"""The first record of the README, typed into a shell: a real server on an embedded PostgreSQL."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents.desk import DOCUMENTED_URL, agrees
from tests.documents.pages import ROOT, Command, commands
from tests.servers import data_folder

TIMEOUT_S = 60
SECTION_ENDS = "scripts/ledger meters"
# What "wait until it says where it listens" is to a script; the end, because nobody sees to it later.
WAIT = "until curl -sf {url}/healthz >/dev/null; do kill -0 $! && sleep 0.1 || exit 1; done"
END = "kill $!; wait $!"
MARK = "-- next command --"


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_first_record_of_the_readme() -> None:
    """A newcomer sees what the page shows, and the server ends when it is told to."""
    typed = _section()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    script = []
    for command in typed:
        script += [f"echo '{MARK}'", command.text.replace(DOCUMENTED_URL, url)]
        if command.text.endswith("serve &"):
            script.append(WAIT.format(url=url))
    with data_folder() as home:
        code, printed = _run("\n".join([*script, END]), home, url)
    assert code == 0, printed
    answers = printed.split(f"{MARK}\n")[1:]
    for command, answer in zip(typed, answers, strict=True):
        assert not command.answer or agrees(command.answer, answer), (command, answer)


def _section() -> list[Command]:
    every = commands(ROOT / "README.md")
    first = next(at for at, each in enumerate(every) if each.text.startswith("export "))
    last = next(at for at, each in enumerate(every) if each.text.startswith(SECTION_ENDS))
    return every[first:last]


def _run(script: str, home: Path, url: str) -> tuple[int, str]:
    """Run a script in a folder with `scripts/ledger` in it; whatever it starts has ended afterwards."""
    (home / "scripts").mkdir()
    ledger = home / "scripts" / "ledger"
    ledger.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ledger "$@"\n')
    ledger.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if "LEDGER_" not in key}
    environment |= {
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "LEDGER_PORT": url.rpartition(":")[2],
    }
    process = subprocess.Popen(
        ["sh", "-c", script],
        cwd=home,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, _ = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)
        printed, _ = process.communicate()
    return process.returncode, printed
