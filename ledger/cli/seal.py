"""`ledger seal`."""

from typing import BinaryIO

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import (
    DONE,
    WITH_PROBLEMS,
    in_words,
    json_option,
    on_ledger,
    print_json,
    print_table,
    say,
)
from ledger.services.proof.seals import check_heads, read_heads, show_heads

COLUMNS = {"lane": "lane", "batch": "batch", "recorded_at": "recorded at", "digest": "digest"}


@click.group("seal")
def command_group() -> None:
    """Show digests to keep elsewhere, and compare them later.

    What they cover has not changed as long as they agree.

    Example: ledger seal show --json > heads.json
    """


@command_group.command("show")
@json_option
@on_ledger
async def show(ledger: Ledger, *, as_json: bool) -> None:
    """Show the digest at the head of every lane. Give it to a third party, as --json for `seal check`.

    Example: ledger seal show --json > heads.json
    """
    heads = await show_heads(ledger.database, ledger.clock)
    if as_json:
        print_json(heads)
    else:
        print_table(f"Heads as of {heads['as_of']}", COLUMNS, heads["lanes"], whole=("digest",))


@command_group.command("check")
@click.argument("heads", type=click.File("rb"))
@json_option
@on_ledger
async def check(ledger: Ledger, *, heads: BinaryIO, as_json: bool) -> int:
    """Compute every digest up to kept heads anew and compare: has anything they cover been changed?

    HEADS is a file with what `ledger seal show --json` printed, or - for stdin.

    Example: ledger seal check heads.json
    """
    result = await check_heads(ledger.database, read_heads(heads.read()))
    if as_json:
        print_json(result)
    else:
        for offender in result["offenders"]:
            say(f"FAILED  {in_words(offender)}")
        if result["ok"]:
            say(f"{len(result['lanes'])} heads hold: {result['events']} events are as they were.")
        else:
            say(f"{result['count']} places differ from what was sealed.")
    return DONE if result["ok"] else WITH_PROBLEMS
