"""`ledger quarantine`."""

import sys
from collections.abc import Callable
from typing import Any

import click
import msgspec

from ledger.bootstrap import Ledger
from ledger.cli.progress import progress_bar, shown_on
from ledger.cli.running import (
    ACTOR,
    DONE,
    WITH_PROBLEMS,
    json_option,
    limit_option,
    on_ledger,
    print_json,
    print_table,
    remark,
    say,
)
from ledger.core.visible import visible
from ledger.services.quarantine import OUTCOMES, dismiss, list_quarantined, show_quarantined
from ledger.services.replaying import Replayed, replay
from ledger.store.quarantine import QuarantineFilter

LISTED = {
    "quarantine_id": "id",
    "code": "code",
    "customer_id": "customer",
    "request_id": "request",
}
SIDE_BY_SIDE = {"differs": "", "field": "field", "sent": "sent", "recorded": "recorded"}
STAYING = {"kept_as": "id", "request_id": "request", "why": "why"}
COPIED = ("quarantine_id", "kept_as")
_SHOWN_CHARACTERS = 2000
# An id in a terminal of 80 columns is whole, so that it can be copied; names give way.
_CUSTOMER_CHARACTERS, _REQUEST_CHARACTERS = 12, 20


def filter_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which records are meant."""
    for option in (
        click.option("--customer", "customer_id", help="Only those that name this customer."),
        click.option("--request", "request_id", help="Only those that name this request."),
        click.option("--outcome", type=click.Choice(OUTCOMES), help="Only those that ended so."),
        click.option("--code", help="Only those refused for this reason, such as unknown_meter."),
        click.option("--sender", help="Only those of this key; cli for `ledger ingest`."),
    ):
        function = option(function)
    return function


@click.group("quarantine")
def command_group() -> None:
    """List, show, replay and dismiss records that were refused.

    Example: ledger quarantine list
    """


@command_group.command("list")
@filter_options
@limit_option(100)
@json_option
@on_ledger
async def list_(ledger: Ledger, *, most: int, as_json: bool, **wanted: Any) -> None:
    """List refused records, last seen first.

    Example: ledger quarantine list --code unknown_meter
    """
    page = await list_quarantined(ledger.database, QuarantineFilter(**wanted), most=most)
    if as_json:
        document = {"quarantine": page["data"]}
        print_json(document | {name: page[name] for name in ("has_more", "not_kept")})
        return
    print_table("Quarantine", LISTED, [_in_columns(row) for row in page["data"]], whole=COPIED)
    if page["has_more"]:
        remark(f"there are more; --limit {most} cut the list")
    if page["not_kept"]:
        remark(f"{page['not_kept']:,} more were refused and not kept: there was no room for them")


@command_group.command("show")
@click.argument("quarantine_id", metavar="ID")
@json_option
@on_ledger
async def show(ledger: Ledger, *, quarantine_id: str, as_json: bool) -> None:
    """Show a refused record with all its faults; a conflict beside what is recorded.

    Example: ledger quarantine show q_0123456789abcdef0123
    """
    body = await show_quarantined(ledger.database, quarantine_id)
    if as_json:
        print_json(body)
        return
    _print_record(body)
    if body["conflict"]:
        _print_conflict(body["conflict"])


@command_group.command("replay")
@click.argument("quarantine_ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "is_all", is_flag=True, help="All of them, or all that the options leave.")
@filter_options
@json_option
@on_ledger
async def replay_(
    ledger: Ledger,
    *,
    quarantine_ids: tuple[str, ...],
    is_all: bool,
    as_json: bool,
    **wanted: Any,
) -> int:
    """Send refused records again, as their senders sent them, once what was wrong is mended.

    What is recorded by then leaves quarantine; what is refused again stays, with the reason of today. It is
    safe to repeat.

    Example: ledger quarantine replay --all --code unknown_meter
    """
    if is_all == bool(quarantine_ids) or (any(wanted.values()) and not is_all):
        raise click.UsageError("name records by their ids, or say --all, which the options narrow")
    async with ledger.intake() as intake:
        with progress_bar("replaying") as bar:
            replayed = await replay(
                ledger.database,
                intake,
                QuarantineFilter(**wanted),
                None if is_all else quarantine_ids,
                shown_on(bar),
            )
    if as_json:
        print_json(replayed)
    else:
        _print_replayed(replayed)
    return WITH_PROBLEMS if replayed.conflicts or replayed.rejected else DONE


@command_group.command("dismiss")
@click.argument("quarantine_ids", nargs=-1, required=True, metavar="ID...")
@click.option("--reason", required=True, help="Why; kept with the decision.")
@json_option
@on_ledger
async def dismiss_(
    ledger: Ledger, *, quarantine_ids: tuple[str, ...], reason: str, as_json: bool
) -> None:
    """Take refused records out for good. That it was decided, and why, is kept; what they said is not.

    Example: ledger quarantine dismiss q_0123456789abcdef0123 --reason "a test of the gateway"
    """
    dismissed = await dismiss(ledger.database, ledger.clock, ACTOR, quarantine_ids, reason=reason)
    if as_json:
        print_json({"dismissed": dismissed})
        return
    for body in dismissed:
        say(f"dismissed {body['quarantine_id']}: {body['code']}")


def _in_columns(row: dict[str, Any]) -> dict[str, Any]:
    """A row as its table has it."""
    return {
        **row,
        "customer_id": _shortened(row["customer_id"], _CUSTOMER_CHARACTERS),
        "request_id": _shortened(row["request_id"], _REQUEST_CHARACTERS),
        "why": f"{row['code']}: {row['field'] or 'record'} {row['detail']}",
    }


def _shortened(name: str | None, most: int) -> str | None:
    """A name, on a terminal without its beginning if it is too long; ids differ most in their ends."""
    shown = visible(name or "")
    if len(shown) <= most or not sys.stdout.isatty():
        return name
    return f"…{shown[1 - most :]}"


def _print_record(body: dict[str, Any]) -> None:
    say(f"{body['quarantine_id']}  {body['outcome']}: {body['code']}")
    whose = body["sender_customer_id"]
    say(f"  sender    {body['sender']}" + (f", bound to {whose}" if whose else ""))
    say(f"  request   {body['request_id'] or '-'} of customer {body['customer_id'] or '-'}")
    say(
        f"  sightings {body['sightings']:,}, from {body['first_seen_at']} to {body['last_seen_at']}"
    )
    for error in body["errors"]:
        say(f"  {error['code']}: {error['field'] or 'record'}: {error['detail']}")
    kept = "" if body["is_whole"] else "; not kept whole, so its sender must send it again"
    say(f"  record    {body['record_bytes']:,} bytes, as {body['record_encoding']}{kept}")
    say(body["record"][:_SHOWN_CHARACTERS])
    if len(body["record"]) > _SHOWN_CHARACTERS:
        say("... (--json has all that is kept)")


def _print_conflict(conflict: dict[str, Any]) -> None:
    """Both statements side by side: what they state, the fields that differ marked."""
    differing = {each["field"]: each for each in conflict["differences"]}
    sent, recorded = conflict["sent"], conflict["recorded"]
    rows = [
        {"field": name, "sent": _cell(sent.get(name)), "recorded": _cell(recorded.get(name))}
        for name in dict.fromkeys((*sent, *recorded, *differing))
        if _cell(sent.get(name)) or _cell(recorded.get(name)) or name in differing
    ]
    for row in rows:
        if (difference := differing.get(str(row["field"]))) is not None:
            row["differs"] = "*"
            row["sent"] = row["sent"] or _cell(difference["sent"])
            row["recorded"] = row["recorded"] or _cell(difference["recorded"])
    print_table("Conflict (* differs)", SIDE_BY_SIDE, [{"differs": "", **row} for row in rows])
    if conflict["is_corrected"]:
        say("What is recorded was corrected since; `ledger explain` shows how.")


def _cell(value: Any) -> str | None:
    """A value in one cell; nothing for nothing stated."""
    if value in (None, "", {}, []):
        return None
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _print_replayed(replayed: Replayed) -> None:
    staying = [record for record in replayed.records if record["kept_as"]]
    if staying:
        print_table(
            "Refused again", STAYING, [_in_columns(record) for record in staying], whole=COPIED
        )
    say(
        f"{replayed.read:,} sent again: {replayed.accepted:,} accepted, {replayed.duplicates:,} "
        f"duplicates, {replayed.conflicts:,} conflicts, {replayed.rejected:,} rejected; "
        f"{replayed.unrated:,} unrated"
    )
