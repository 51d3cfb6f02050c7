"""The machines of a rehearsal: a server that archives, folders for copies, servers that were restored."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
import psutil
from click.testing import CliRunner

from ledger.cli.main import main
from ledger.store.embedded import EmbeddedServer, embedded_server
from ledger.store.embedded.account import Account, choose_account
from ledger.store.embedded.answering import make_url
from ledger.store.embedded.binaries import can_run
from tests.recovery.page import BACKUP, RESTORED, script

_PATIENCE_S = 120


class CommandFailed(Exception):
    """A command ended with another code than it should; the text has what it said."""


class Restored(msgspec.Struct, frozen=True):
    """A server that was restored: its folder, its address, and how long it took until it answered."""

    folder: Path
    url: str
    elapsed_s: float


class Machine(msgspec.Struct, frozen=True):
    """A server of the embedded binaries, a folder for what is made of it, and the user who runs it."""

    folder: Path
    server: EmbeddedServer
    account: Account

    @property
    def backup(self) -> Path:
        """Base backups and the archive."""
        return self.folder / "backup"

    @property
    def cluster(self) -> Path:
        """The server's data."""
        return self.server.data_dir / "postgres"

    def kill(self) -> None:
        """End every process of the server as if its machine had stopped."""
        postmaster = psutil.Process(self.server.process_id)
        processes = [postmaster, *postmaster.children()]
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=_PATIENCE_S)

    def can_run(self, name: str) -> bool:
        """Whether a program of the server starts."""
        return can_run(self.account, self.server.bin_dir / name)

    def stop(self, cluster: Path) -> None:
        """Stop the server of some data, in order; one that does not run is fine."""
        pg_ctl = self.server.bin_dir / "pg_ctl"
        stop = ("stop", "--silent", "--mode=fast", f"--pgdata={cluster}")
        self.account.run([pg_ctl, *stop], timeout_s=_PATIENCE_S)

    async def run(self, heading: str, places: Mapping[str, str]) -> None:
        """Do what a section of the page says, as the server's user.

        Raises:
            CommandFailed: a command of it did not do it.
        """
        environment = {
            "PATH": f"{self.server.bin_dir}:/usr/bin:/bin",
            "PGHOST": str(self.server.socket_dir),
            "PGUSER": "postgres",
            "PGDATABASE": "ledger",
        }
        stated = [f"{name}={value}" for name, value in environment.items()]
        shell = ["/usr/bin/env", *stated, "/bin/sh", "-euc"]
        run = partial(self.account.run, [*shell, script(heading, places)], timeout_s=_PATIENCE_S)
        done = await asyncio.to_thread(run)
        if done.returncode != 0:
            raise CommandFailed(f"{heading}: {done.stdout}{done.stderr}")

    async def reach(self) -> None:
        """Find its programs and reach it with them, as the page tells whoever runs the ledger.

        Raises:
            CommandFailed: they are not there, or do not reach it.
        """
        way = script("The embedded server", {}) + "psql -Atc 'SELECT 1'"
        asked = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-euc", way),
            env={
                "LEDGER_DATA_DIR": str(self.server.data_dir),
                "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            stdout=asyncio.subprocess.PIPE,
        )
        answer, _ = await asked.communicate()
        if answer != b"1\n":
            raise CommandFailed(f"psql answers {answer!r}")

    @asynccontextmanager
    async def restored(
        self, name: str, heading: str, places: Mapping[str, str]
    ) -> AsyncIterator[Restored]:
        """A server restored into a new folder as a section of the page says; it is gone after the block."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        give_to(self.account, folder)
        began_at = time.monotonic()
        try:
            await self.run(heading, {BACKUP: str(self.backup), RESTORED: str(folder), **places})
            url = make_url(folder / "run", "ledger")
            yield Restored(folder, url, round(time.monotonic() - began_at, 1))
        finally:
            self.stop(folder / "postgres")
            shutil.rmtree(folder)


@asynccontextmanager
async def archiving_machine(folder: Path) -> AsyncIterator[Machine]:
    """A server in a folder that archives its log, as the page says."""
    data_dir = folder / "primary"
    async with embedded_server(data_dir) as server:
        machine = Machine(folder, server, choose_account(data_dir, data_dir / "postgres"))
        await machine.reach()
        machine.backup.mkdir()
        give_to(machine.account, machine.backup)
        await machine.run("Archiving", {BACKUP: str(machine.backup)})
    async with embedded_server(data_dir) as server:
        yield msgspec.structs.replace(machine, server=server)


async def ledger(url: str, *words: object, code: int = 0, **changes: str) -> bytes:
    """Run a command of the ledger on a database, and give what it prints with `--json`.

    `changes` go into its environment; with an empty address it finds the database by them.

    Raises:
        CommandFailed: it ended with another code.
    """
    # In this process, in a thread of its own: to start another takes longer than most commands.
    runner = CliRunner(env={"LEDGER_DATABASE_URL": url, **changes})
    words_of_text = [*map(str, words), "--json"]
    done = await asyncio.to_thread(runner.invoke, main, words_of_text, catch_exceptions=False)
    if done.exit_code != code:
        raise CommandFailed(f"ledger {words[0]}: {done.exit_code}, {done.output}")
    return done.stdout_bytes


def give_to(account: Account, folder: Path) -> None:
    """Make a folder the server's user's own."""
    if os.geteuid() == 0:
        os.chown(folder, account.user_id, account.group_id)
