"""Writes down a small ledger as a former program left it: `former_<schema>.sql`, and what it said of it.

    python -m tests.golden.make_former_ledger CHECKOUT

CHECKOUT is the source of the former program. Its own command line makes the ledger, with the two older tables
of Fireworks alone, whose text is short. The file has the rows; the schema comes from sql/migrations again.
"""

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from ledger.store.embedded import embedded_server, find_binary
from tests.servers import data_folder

FOLDER = Path(__file__).parent
RECORDS = FOLDER / "former_records.ndjson"
TABLES = ("2025-01-01.yaml", "2026-05-12.yaml")
SPAN = ("--from", "2026-04-01", "--to", "2026-06-01")
VOIDED, CORRECTED, REDACTED = (
    json.loads(line)["request_id"]
    for number, line in enumerate(RECORDS.read_text().splitlines())
    if number in (2, 3, 5)
)
DECISIONS = (
    ("migrate",),
    ("meters", "set", "ten", "--percentage", "10"),
    ("customers", "set", "acme", "--meter", "ten"),
    (
        *("meters", "set", "tiered", "--kind", "graduated", "--unit", "tokens_1m"),
        *("--tier", "0:5.00", "--tier", "500000:3.00"),
    ),
    ("customers", "set", "hooli", "--meter", "tiered"),
    ("limits", "set", "acme", "--amount", "1.00", "--window", "total", "--id", "acme-total"),
    ("ingest", str(RECORDS)),
    ("invoices", "run", "--period", "2026-04"),
    ("adjust", VOIDED, "--void", "--reason", "sent by mistake"),
    ("adjust", CORRECTED, "--output-tokens", "400", "--reason", "counted twice"),
    ("redact", REDACTED, "--reason", "erasure request 12"),
)
SINCE_0013 = (
    ("keys", "create", "--name", "gateway", "--scope", "ingest", "--customer", "acme"),
    ("keys", "create", "--name", "reports", "--scope", "read,finance"),
)
SINCE_0015 = (("jobs", "run", "verify"),)
WITH_PROBLEMS = ("ingest",)
ANSWERS = {
    "spend": ("spend", *SPAN, "--by", "customer,model,month"),
    "invoices": ("invoices", "list"),
    "seals": ("seal", "show"),
}
# The migrations make a few rows themselves: those of facts are the same, that of the configuration is not.
_FIRST = "DELETE FROM ledger.configuration;\n"
_DUMP = [
    "--data-only",
    "--no-owner",
    "--inserts",
    "--rows-per-insert=50",
    "--on-conflict-do-nothing",
    "--load-via-partition-root",
    "--schema=ledger",
    "--exclude-table=ledger.schema_migration",
]
_NOISE = re.compile(
    r"^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)\n", re.MULTILINE
)


class FormerProgram:
    """The command line of a checkout, on a database."""

    def __init__(self, checkout: Path, url: str) -> None:
        self.checkout = checkout
        self._environment = {
            **os.environ,
            "LEDGER_DATABASE_URL": url,
            "PYTHONPATH": str(checkout),
        }

    @property
    def schema(self) -> str:
        """The number of its newest migration."""
        return max(path.name for path in (self.checkout / "sql" / "migrations").iterdir())[:4]

    def run(self, *words: str) -> Any:
        """What a command says."""
        done = subprocess.run(
            [sys.executable, "-m", "ledger", *words, "--json"],
            cwd=self.checkout,
            env=self._environment,
            stdout=subprocess.PIPE,
            check=False,
        )
        assert done.returncode == (words[0] in WITH_PROBLEMS), words
        return json.loads(done.stdout)


def keep_two_tables(checkout: Path) -> None:
    rates = checkout / "pricing" / "rates"
    for folder in rates.iterdir():
        if folder.name != "fireworks":
            shutil.rmtree(folder)
    for file in (rates / "fireworks").iterdir():
        if file.name not in TABLES:
            file.unlink()


def dumped_rows(url: str) -> str:
    dumped = subprocess.run(
        [find_binary("pg_dump"), *_DUMP, url], check=True, capture_output=True, text=True
    )
    rows = re.sub(r"\n{3,}", "\n\n", _NOISE.sub("", dumped.stdout)).lstrip()
    return _FIRST + rows.replace(f"'{socket.gethostname()}/", "'host/")


async def main(checkout: Path) -> None:
    keep_two_tables(checkout)
    with data_folder() as folder:
        async with embedded_server(folder, settings={"fsync": "off"}) as server:
            former = FormerProgram(checkout, server.url())
            schema = former.schema
            later = (SINCE_0013 if schema >= "0013" else ()) + (
                SINCE_0015 if schema >= "0015" else ()
            )
            for words in DECISIONS + later:
                former.run(*words)
            answers = {name: former.run(*words) for name, words in ANSWERS.items()}
            assert former.run("verify")["ok"]
            (FOLDER / f"former_{schema}.sql").write_text(dumped_rows(server.url()))
            text = json.dumps(answers, indent=1, ensure_ascii=False)
            (FOLDER / f"former_{schema}.json").write_text(text + "\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).resolve()))
