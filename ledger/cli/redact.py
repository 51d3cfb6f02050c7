"""`ledger redact`."""

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import ACTOR, json_option, on_ledger, print_json, say
from ledger.core.redaction import WORDS
from ledger.services.redaction import redact_request


@click.command("redact")
@click.argument("request_id")
@click.option(
    "--field",
    "names",
    multiple=True,
    help=f"{', '.join(WORDS)}, or one part such as metadata.email; repeatable. Default: all of them.",
)
@click.option("--reason", required=True, help="Why; kept with the decision.")
@click.option("--customer", "customer_id", help="Whose, if several customers have the id.")
@json_option
@on_ledger
async def command_group(
    ledger: Ledger,
    *,
    request_id: str,
    names: tuple[str, ...],
    reason: str,
    customer_id: str | None,
    as_json: bool,
) -> None:
    """Erase personal text that came with a request. Amounts stay, and so does the proof that they do.

    This cannot be undone. Records in quarantine are not touched.

    Example: ledger redact req_01K7QJT2YSVV0YR2NPK4Z2GRXQ --field metadata --reason "erasure request 12"
    """
    result = await redact_request(
        ledger.database,
        ledger.clock,
        ACTOR,
        request_id,
        names=names or WORDS,
        reason=reason,
        customer_id=customer_id,
    )
    if as_json:
        print_json(result)
        return
    for heading in ("erased", "erased_before", "not_there"):
        if result[heading]:
            say(f"{heading.replace('_', ' ')}: {', '.join(result[heading])}")
