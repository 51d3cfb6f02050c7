"""`ledger keys`."""

from datetime import datetime
from typing import Any

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import (
    ACTOR,
    Instant,
    json_option,
    on_ledger,
    print_json,
    print_table,
    reason_option,
    remark,
    say,
)
from ledger.core.keys import Scope
from ledger.services.keys import KeyRequest, create_key, revoke_key, show_keys

COLUMNS = {
    "key_id": "key",
    "name": "name",
    "scopes": "scopes",
    "customer_id": "customer",
    "state": "state",
}
MOST = 1_000_000


@click.group("keys")
def command_group() -> None:
    """Make, list and revoke API keys.

    Example: ledger keys create --name gateway --scope ingest
    """


@command_group.command("create")
@click.option("--name", required=True, help="What it is for, to recognise it by.")
@click.option(
    "--scope",
    "scopes",
    required=True,
    help=f"What it may do, separated by commas: {', '.join(Scope)}.",
)
@click.option("--customer", "customer_id", help="Bind it to this customer; no admin then.")
@click.option("--expires", "expires_at", type=Instant(), help="When it ends; never, if left out.")
@reason_option
@json_option
@on_ledger
async def create(
    ledger: Ledger,
    *,
    name: str,
    scopes: str,
    customer_id: str | None,
    expires_at: datetime | None,
    reason: str | None,
    as_json: bool,
) -> None:
    """Make a key. It is shown once.

    ingest posts records, read asks, finance invoices and adjusts, admin does everything.

    Example: ledger keys create --name gateway --scope ingest,read

    Example, for one customer: ledger keys create --name acme --scope read --customer acme
    """
    wanted = KeyRequest(
        name, tuple(word.strip() for word in scopes.split(",")), customer_id, expires_at, reason
    )
    body = await create_key(ledger.database, ledger.clock, ACTOR, wanted)
    if as_json:
        print_json(body)
    else:
        say(body["key"])
        remark("ledger: this is the key; it is shown once and kept nowhere")


@command_group.command("list")
@json_option
@on_ledger
async def list_(ledger: Ledger, *, as_json: bool) -> None:
    """List keys, oldest first.

    Example: ledger keys list
    """
    rows = await show_keys(ledger.database, most=MOST)
    if as_json:
        print_json({"keys": rows})
    else:
        now = ledger.clock.now()
        print_table(
            "Keys", COLUMNS, [{**row, "state": _state(row, now)} for row in rows], whole=("key_id",)
        )


@command_group.command("revoke")
@click.argument("key_id")
@reason_option
@json_option
@on_ledger
async def revoke(ledger: Ledger, *, key_id: str, reason: str | None, as_json: bool) -> None:
    """Revoke a key, for good. Within a second no server takes it any more.

    Example: ledger keys revoke lk_7h3kq9xw2m --reason "left in a log"
    """
    body = await revoke_key(ledger.database, ledger.clock, ACTOR, key_id, reason)
    if as_json:
        print_json(body)
    else:
        say(f"{key_id} ({body['name']}) was revoked at {body['revoked_at']}")


def _state(row: dict[str, Any], now: datetime) -> str:
    if row["revoked_at"] is not None:
        return f"revoked {row['revoked_at'][:10]}"
    if row["expires_at"] is None:
        return "alive"
    is_over = datetime.fromisoformat(row["expires_at"]) <= now
    return f"{'expired' if is_over else 'until'} {row['expires_at'][:10]}"
