"""`python -m tests.try_recovery`, which `scripts/try-recovery` calls: docs/backup.md, done."""

import asyncio
import json
import sys

import click
import msgspec

from tests.recovery.rehearsal import Rehearsal, rehearse


@click.command()
@click.option("--records", default=2_000, show_default=True, help="At least so many at each step.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def main(records: int, as_json: bool) -> None:  # noqa: FBT001 - an option of the command
    """Back up a ledger under load, kill its server, drop its table of events; recover each time.

    Exit 1 if anything acknowledged is missing where the page says that nothing is.
    """
    rehearsal = asyncio.run(rehearse(records))
    figures = msgspec.to_builtins(rehearsal)
    if as_json:
        print(json.dumps(figures, indent=2))  # noqa: T201
    else:
        for name, figure in figures.items():
            print(f"{figure:>10}  {name.replace('_', ' ')}")  # noqa: T201
    sys.exit(0 if is_whole(rehearsal) else 1)


def is_whole(rehearsal: Rehearsal) -> bool:
    """Whether nothing was missing and nothing was there that should not be."""
    return (
        rehearsal.killed_missing == rehearsal.missing_before_target == 0
        and rehearsal.accepted_after_target == rehearsal.sent_after_target
    )


if __name__ == "__main__":
    main()
