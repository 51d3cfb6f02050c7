"""The command `ledger`."""

import click

import ledger
from ledger.cli import (
    adjust,
    alerts,
    customers,
    demo,
    dump,
    explain,
    export,
    ingest,
    invoices,
    jobs,
    keys,
    limits,
    load,
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
from ledger.cli.help import BySubject, set_out_examples
from ledger.cli.standard_files import open_standard_files

# In the order of a first day with the product.
SUBJECTS = {
    "First steps": (demo, serve, migrate, ingest),
    "Records": (explain, adjust, rerate, unmetered, unrated, quarantine, redact),
    "Money": (spend, limits, alerts, invoices, export),
    "Administration": (customers, meters, rates, keys),
    "Proof and upkeep": (verify, seal, rebuild, dump, load, jobs),
}


@click.group(
    cls=BySubject,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.version_option(ledger.__version__)
def main() -> None:
    """Meter, price and bill LLM traffic.

    Works on the database that LEDGER_DATABASE_URL names, or on an embedded one in LEDGER_DATA_DIR, with or
    without a running server. Times may be dates: midnight UTC, and --to is exclusive.

    --json prints one document on stdout, also of an error; everything else goes to stderr.

    Settings come from the environment: LEDGER_DATABASE_URL, LEDGER_DATA_DIR, LEDGER_CURRENCY,
    LEDGER_RATES_DIR, LEDGER_AUTO_CREATE_CUSTOMERS; COLUMNS and NO_COLOR are respected.

    Exit codes: 0 done, 1 done with problems, 2 wrong usage or no database, 3 interrupted (safe to repeat).

    Example, all of it on bundled records: ledger demo

    Example: ledger spend --from 2026-10-01 --to 2026-11-01 --by customer,model
    """
    open_standard_files()


for subject, modules in SUBJECTS.items():
    main.add_subject(subject, [module.command_group for module in modules])
set_out_examples(main)
