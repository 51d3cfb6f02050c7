"""What `ledger demo` has done, told in words and tables."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from rich.text import Text

from ledger.cli.alerts import print_alerts
from ledger.cli.running import print_table, say, stdout
from ledger.cli.spend import print_spend_table
from ledger.demo.walk import Walk
from ledger.services.explaining.request_pages import render_request
from ledger.services.intake.outcomes import Counters

RUN_COLUMNS = {"period": "month", "issued": "issued", "skipped": "waiting", "total": "total"}


def print_walk(shown: Walk, folder: Path) -> None:
    """The whole story, a section for each step."""
    _heading("1. Records come in")
    for line in _intake_lines(shown.counters):
        say(line)
    _heading("2. Every record has its price, and every amount says why")
    say(_arithmetic(shown))
    _heading("3. What was spent in April and May, by model")
    print_spend_table(shown.spend)
    say("Spend is cost plus fee; with a customer's own key (byok) it is the fee alone.")
    _heading("4. acme has a limit of 100.00 a month, and was warned at 80% and at all of it")
    print_alerts(shown.alerts)
    _heading("5. Both months are invoiced")
    print_table("Invoices", RUN_COLUMNS, shown.runs)
    if any(run["skipped"] for run in shown.runs):
        say("Less than half a cent is not invoiced; it waits for the next month.")
    _heading("6. One of them")
    say(shown.invoice.rstrip("\n"))
    _heading("7. Files for finance")
    print_table(
        f"In {folder / 'export'}", {"name": "file", "rows": "rows"}, shown.manifest["files"]
    )
    _heading("8. Proof")
    for line in _verdict(shown):
        say(line)
    _print_next(shown, folder)


def _heading(words: str) -> None:
    say("")
    stdout().print(Text(words, style="bold cyan"))
    say("")


def _intake_lines(counters: Counters) -> Iterator[str]:
    yield f"{counters.read:>6,} records of two months came from a gateway:"
    for count, words in (
        (counters.accepted, "accepted; a few are pending or failed and count nothing"),
        (counters.unrated, "of these have a model that no rate table lists yet"),
        (counters.duplicates, "duplicates: sent again, nothing moved"),
        (counters.conflicts, "conflict: the same id with another figure, kept in quarantine"),
        (counters.rejected, "rejected: broken lines, kept in quarantine"),
    ):
        yield f"{count:>6,} {words}"


def _arithmetic(shown: Walk) -> str:
    """The first paragraphs of an explanation: whose request it is, and how its amount comes about."""
    return "\n\n".join(render_request(shown.explanation).split("\n\n")[:2])


def _verdict(shown: Walk) -> Iterator[str]:
    checks = shown.verified["checks"]
    failed = [check["name"] for check in checks if not check["ok"]]
    if failed:
        yield f"{len(failed)} of {len(checks)} checks FAILED: {', '.join(failed)}; see `ledger verify`"
    else:
        yield f"All {len(checks)} checks hold: every figure above was worked out again from the log,"
        yield "and the log is as it was written."


def _print_next(shown: Walk, folder: Path) -> None:
    program = "scripts/ledger" if Path("scripts/ledger").exists() else "ledger"
    _heading("Look around")
    if "LEDGER_DATABASE_URL" in os.environ:
        say("unset LEDGER_DATABASE_URL")
    say(f"export LEDGER_DATA_DIR={shlex.quote(str(folder))}")
    for words in (
        "spend --from 2026-04-01 --to 2026-06-01 --by customer,month",
        f"explain {shown.explanation['request_id']}",
        "explain INV-000001",
        "unrated",
        "quarantine list",
        "serve",
    ):
        say(f"{program} {words}")
    say(f"\nThrow it away: rm -r {shlex.quote(str(folder))}")
