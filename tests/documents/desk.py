"""Typing the commands of a page: `ledger` within this process, everything else in a shell."""

import asyncio
import os
import re
import shlex
import shutil
from pathlib import Path

from ledger.demo.sample import sample_lines
from tests.cli.conftest import Run
from tests.documents.pages import Command

DOCUMENTED_URL = "http://127.0.0.1:8080"
TIMEOUT_S = 30
_LEDGER = ("ledger", "scripts/ledger")


class Desk:
    """A folder, a ledger and its server; `words` are what this ledger says in place of a page's words."""

    def __init__(self, run: Run, folder: Path, url: str, admin_key: str) -> None:
        self.folder = folder
        self.words = {DOCUMENTED_URL: url}
        self.settings = {"COLUMNS": "200"}  # of `ledger`: nothing is folded, as in a pipe
        self._run = run
        self._environment = {**os.environ, "LEDGER_ADMIN_KEY": admin_key}

    def ledger(self, line: str, code: int = 0) -> str:
        """Type a `ledger` command, without that word; give what it prints."""
        return self._run(*shlex.split(line), code=code, **self.settings).stdout

    def write(self, name: str, text: str) -> None:
        """Put a file into the folder."""
        (self.folder / name).write_bytes(text.encode())

    def ingest_sample(self) -> None:
        """Take in the bundled records, of which some are refused, as they are meant to be."""
        (self.folder / "sample.ndjson").write_bytes(b"".join(sample_lines()))
        self.ledger("ingest sample.ndjson", code=1)

    async def type(self, command: Command, code: int) -> str | None:
        """Do what a page tells to; give what is printed, or None where this machine lacks curl."""
        text = command.text
        for shown, here in self.words.items():
            text = text.replace(shown, here)
        parts = shlex.shlex(text, posix=True, punctuation_chars="<>|&;")
        parts.whitespace_split = True
        words = list(parts)
        target = words.index(">") if ">" in words else len(words)
        if words[0] in _LEDGER:
            printed = self._run(*words[1:target], code=code, **self.settings).stdout
        elif words[0] == "scripts/sample":
            printed = b"".join(sample_lines()).decode()
        else:
            return await self._in_shell(text, words[0], code)
        if target < len(words):
            self.write(words[target + 1], printed)
        return printed

    async def _in_shell(self, text: str, program: str, code: int) -> str | None:
        if program == "curl" and shutil.which(program) is None:
            return None
        process = await asyncio.create_subprocess_shell(
            text,
            cwd=self.folder,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(TIMEOUT_S):
            printed, complaints = await process.communicate()
        assert process.returncode == code, complaints.decode()
        return printed.decode()


def agrees(shown: str, printed: str) -> bool:
    """Whether a page shows what is printed.

    `...` stands for any text, on a line of its own for any lines; `(64 digits)` for a digest. JSON may be
    wrapped otherwise, and columns may have other widths.
    """
    if shown.startswith(("{", "[")):
        shown, printed = ("".join(text.split()) for text in (shown, printed))
    pattern = "\n".join(map(_pattern, _lines(shown)))
    found = "\n".join(_lines(printed))
    return re.fullmatch(pattern, found) is not None


def _lines(text: str) -> list[str]:
    return [re.sub(" +", " ", line).rstrip() for line in text.strip("\n").splitlines()]


def _pattern(line: str) -> str:
    if line.strip() == "...":
        return r"(?:.*\n)*?.*"
    pattern = re.escape(line).replace(re.escape("..."), ".*?")
    return re.sub(r"\\\(64(\\ )?digits\\\)", "[0-9a-f]{64}", pattern)
