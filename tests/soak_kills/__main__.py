"""`python -m tests.soak_kills`, which `scripts/soak-kills` calls."""

import asyncio
import json
import sys

import click

from tests.soak_kills.soaking import Plan, soak

MOST_SHOWN, MOST_CHARACTERS = 20, 2000


@click.command()
@click.option("--minutes", default=10.0, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--kills-at-least", default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
def main(*, minutes: float, seed: int, kills_at_least: int, as_json: bool) -> None:
    """Kill servers and PostgreSQL under mixed traffic; exit 1 if the ledger then differs from its answers."""
    soaked = asyncio.run(soak(Plan(60 * minutes, seed, kills_at_least, is_told=True)))
    document = {"seed": seed, **soaked.figures.document(), "findings": len(soaked.findings)}
    if as_json:
        click.echo(json.dumps(document, indent=2))
    else:
        for name, value in document.items():
            click.echo(f"{name.replace('_', ' ')}: {value}")
    for finding in soaked.findings[:MOST_SHOWN]:
        click.echo(f"seed {seed}: {finding[:MOST_CHARACTERS]}", err=True)
    sys.exit(1 if soaked.findings else 0)


if __name__ == "__main__":
    main()
