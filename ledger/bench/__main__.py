"""`python -m ledger.bench NAME`, which `scripts/bench` calls."""

import click

from ledger.bench import (
    door,
    duplicates,
    export,
    ingest,
    intake,
    invoices,
    keys,
    limits,
    log,
    moving,
    outage,
    pressure,
    rating,
    scale,
    spend,
    storage,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Measure the product on this machine; each bench prints its floors from the same run."""


for command in (
    intake.bench,
    scale.bench,
    spend.bench,
    invoices.bench,
    export.bench,
    limits.bench,
    pressure.bench,
    duplicates.bench,
    storage.bench,
    keys.bench,
    ingest.bench,
    door.bench,
    outage.bench,
    log.rebuild,
    log.verify,
    log.rerate,
    moving.bench,
    rating.bench,
):
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name="bench")
