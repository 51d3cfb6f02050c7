"""`ledger adjust`."""

from collections.abc import Callable
from typing import Any

import click

from ledger.bootstrap import Ledger
from ledger.cli.running import ACTOR, json_option, on_ledger, print_json, say
from ledger.core.adjustments import CORRECTION, VOID, read_adjustment
from ledger.core.errors import InvalidRecord
from ledger.core.json_values import read_json
from ledger.core.usage.stated import QUANTITY_FIELDS
from ledger.randomness import new_name
from ledger.services.adjustments import adjust_request
from ledger.services.requests import show_request


def _quantity_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """An option for each quantity; its text is read as the same field of a record is."""
    for name in reversed(QUANTITY_FIELDS):
        option = click.option(f"--{name.replace('_', '-')}", name, help="New absolute quantity.")
        function = option(function)
    return function


@click.command("adjust")
@click.argument("request_id")
@click.option("--void", "is_void", is_flag=True, help="Take the request back as a whole.")
@_quantity_options
@click.option("--reason", required=True, help="Why; kept with the decision.")
@click.option("--customer", "customer_id", help="Whose, if several customers have the id.")
@click.option("--idempotency-key", help="Names the adjustment; by default a new one.")
@json_option
@on_ledger
async def command_group(
    ledger: Ledger,
    *,
    request_id: str,
    is_void: bool,
    reason: str,
    customer_id: str | None,
    idempotency_key: str | None,
    as_json: bool,
    **quantities: str | None,
) -> None:
    """Void a recorded request, or correct its quantities.

    What is not named stays as it is. Nothing is edited: the negation of what stands is appended, and the new
    statement. Both count at the request's own time, at once.

    Example: ledger adjust req_01K7QJT2YSVV0YR2NPK4Z2GRXQ --void --reason "a test"

    Example: ledger adjust req_01K7QJT2YSVV0YR2NPK4Z2GRXQ --output-tokens 400 --reason "counted twice"
    """
    form = {
        "kind": VOID if is_void else CORRECTION,
        "reason": reason,
        "idempotency_key": idempotency_key or new_name("cli-"),
        "customer_id": customer_id,
        **{name: _number(text) for name, text in quantities.items() if text is not None},
    }
    adjustment = read_adjustment(form)
    if isinstance(adjustment, list):
        raise InvalidRecord(adjustment)
    before = await show_request(ledger.database, request_id, customer_id)
    is_new = await adjust_request(ledger.database, ledger.clock, ACTOR, request_id, adjustment)
    body = await show_request(ledger.database, request_id, customer_id)
    if as_json:
        print_json(body)
        return
    last = body["revisions"][-1]["revision"]
    say(f"{body['request_id']} of {body['customer_id']}: {body['status']}, revision {last}")
    if not is_new:
        say("it was recorded under this idempotency key before")
    elif last == before["revisions"][-1]["revision"]:
        say("nothing to change: that is what stands already")
    else:
        say(f"spend {_spend(before)} -> {_spend(body)}")


def _spend(body: dict[str, Any]) -> str:
    """What a request counts."""
    if body["status"] == "voided":
        return "0.000000000000"
    return body["spend"] or "UNRATED: no rate in force prices all of its quantities; it counts 0"


def _number(text: str) -> Any:
    """The text of an option as the JSON number that it is, or as it is."""
    try:
        return read_json(text.encode())
    except (ValueError, RecursionError):
        return text
