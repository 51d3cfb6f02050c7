"""The product tried as new users would: the demo, a server, a record, a stop; in surroundings that differ.

`scripts/try-install` runs it. Prints a table; exits 1 if anything was not as expected.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from tests.surroundings import ADMIN_KEY, DATA, SURROUNDINGS, Surrounding

ROOT = Path(__file__).parents[1]
PATIENCE_S = 600
RECORD = json.dumps({"request_id": "req_1", "customer_id": "acme", "model": "m"}).encode()


class Trial:
    """One surrounding with a clone and a home of its own."""

    def __init__(self, place: Path, surrounding: Surrounding, install: dict[str, str]) -> None:
        self._what = surrounding
        self.checkout = place / surrounding.checkout
        self._home = place / "home"
        self._home.mkdir(parents=True)
        subprocess.run(["git", "clone", "--quiet", ROOT, self.checkout], check=True)
        if surrounding.is_read_only:
            subprocess.run(["chmod", "-R", "a-w", self.checkout], check=True)
        stated = {"LEDGER_DATA_DIR": DATA, "LEDGER_ADMIN_KEY": ADMIN_KEY} | surrounding.environment
        filled = {name: text.replace("{home}", str(self._home)) for name, text in stated.items()}
        self._environment = install | filled
        if (folder := Path(filled.get("TMPDIR", "/"))).is_relative_to(self._home):
            folder.mkdir(mode=0o777)
        if identity := surrounding.identity():
            for path in (self._home, *self._home.rglob("*")):
                os.chown(path, identity["user"], identity["group"])

    def run(self) -> list[str]:
        """Everything, and what was not as expected."""
        complaints = self._demos()
        with self._started("ledger serve --port 0") as server:
            complaints += self._serve(server)
        return complaints

    def _demos(self) -> list[str]:
        complaints = []
        demos = [self._start("demo") for _ in range(self._what.at_once)]
        for demo in demos:
            _, said = demo.communicate(timeout=PATIENCE_S)
            complaints += self._judged("demo", demo.returncode, said)
        return complaints

    def _serve(self, server: subprocess.Popen[str]) -> list[str]:
        said = ""
        assert server.stderr
        for line in server.stderr:
            said += line
            if "listening on " in line:
                status = _send(line.split("listening on ")[1].strip())
                server.send_signal(signal.SIGTERM)
                said += server.stderr.read()
                if status != 201:
                    return [f"the record was answered {status}"]
        return self._judged("serve", server.wait(), said)

    def _judged(self, what: str, code: int, said: str) -> list[str]:
        if code == self._what.code and self._what.words in said and "Traceback" not in said:
            return []
        return [f"{what} ended with {code}: {said.strip()[-400:]}"]

    def _start(self, words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["/bin/sh", "-c", f"exec scripts/{words} {self._what.redirection}"],
            cwd=self.checkout,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            umask=self._what.umask,
            **self._what.identity(),
        )

    @contextmanager
    def _started(self, words: str) -> Iterator[subprocess.Popen[str]]:
        with self._start(words) as process:
            watch = threading.Timer(PATIENCE_S, process.kill)
            watch.start()
            try:
                yield process
            finally:
                watch.cancel()
                process.terminate()


def _send(url: str) -> int:
    headers = {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/v1/requests", RECORD, headers)  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return int(answer.status)


@contextmanager
def _place(*, keep: bool) -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="ledger-try-"))
    place.chmod(0o755)
    try:
        yield place
    finally:
        if keep:
            click.echo(f"kept: {place}")
        else:
            shutil.rmtree(place, ignore_errors=True)


@click.command()
@click.option(
    "--only", default="", help="Those whose name has this in it; the first is always run."
)
@click.option("--python", default="", help="The interpreter, in place of python3 on the PATH.")
@click.option("--keep", is_flag=True, help="Keep clones, homes and the environment.")
def main(only: str, python: str, *, keep: bool) -> None:
    """Try each surrounding in turn."""
    interpreter = {"LEDGER_PYTHON": python} if python else {}
    failures, shared = 0, ""
    with _place(keep=keep) as place:
        for number, surrounding in enumerate(SURROUNDINGS):
            if number and only not in surrounding.name:
                continue
            if surrounding.needs_root and os.geteuid() != 0:
                click.echo(f"  --  {surrounding.name}: needs root")
                continue
            own = surrounding.has_own_install
            install = interpreter | ({} if own else {"LEDGER_VENV": shared})
            trial = Trial(place / str(number), surrounding, install)
            complaints = trial.run()
            shared = shared or str(trial.checkout / ".venv")
            expected = f"exit {surrounding.code} and why" if surrounding.code else "works"
            click.echo(f"{'  ok' if not complaints else 'FAIL'}  {surrounding.name}: {expected}")
            for complaint in complaints:
                click.echo(f"      {complaint}")
            failures += bool(complaints)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
