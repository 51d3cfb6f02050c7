"""The command `ledger`."""

import click

import ledger
from ledger.cli import (
    adjust,
    alerts,
    customers,
    demo,
    explain,
    export,
    ingest,
    invoices,
    jobs,
    keys,
    limits,
    meters,
    migrate,
    quarantine,
    rates,
    rebuild,
    redact,
    rerate,
    seal,
    serve,
    spend,
    unmetered,
    unrated,
    verify,
)


class InOrder(click.Group):
    """Lists its commands in the order of a first day with the product, not of the alphabet."""

    def list_commands(self, _: click.Context) -> list[str]:
        """The commands as they were added."""
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(ledger.__version__)
def main() -> None:
    """Meter, price and bill LLM traffic.

    Works on the database that LEDGER_DATABASE_URL names, or on an embedded one in LEDGER_DATA_DIR, with or
    without a running server. Times may be dates: midnight UTC, and --to is exclusive.

    Exit codes: 0 done, 1 done with problems, 2 wrong usage or no database, 3 interrupted (safe to repeat).
    """


for module in (
    demo,
    serve,
    migrate,
    ingest,
    spend,
    adjust,
    rerate,
    unmetered,
    unrated,
    quarantine,
    invoices,
    explain,
    export,
    limits,
    alerts,
    customers,
    meters,
    rates,
    keys,
    redact,
    verify,
    seal,
    rebuild,
    jobs,
):
    main.add_command(module.command_group)
