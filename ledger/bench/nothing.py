"""The floor of single records and questions: a server like the product's whose handlers do nothing.

Run as `python -m ledger.bench.nothing`; it wants LEDGER_ADMIN_KEY and prints where it listens.
"""

import logging
import os
from typing import Any

import click
import msgspec
from litestar import Litestar, Request, Response, get, post

from ledger.api.authentication import KeyGuard
from ledger.cli.running import command
from ledger.cli.serve import Server, listen, server_config
from ledger.clock import SystemClock
from ledger.services.key_ring import KeyRing
from ledger.store.database import Database


@post("/v1/requests", status_code=201)
async def decode_and_forget(request: Request[Any, Any, Any]) -> Response[Any]:
    """Decode a record; answer at once."""
    msgspec.json.decode(await request.body())
    return Response({}, status_code=201)


@get("/v1/limits")
async def answer_nothing() -> Response[Any]:
    """Answer a question at once."""
    return Response({})


@click.command("nothing")
@command
async def main() -> int:
    """Serve it with the settings of `ledger serve`."""
    logging.basicConfig(level=logging.INFO)
    app = Litestar(
        [decode_and_forget, answer_nothing],
        # The database is never asked: the admin key is known without it.
        before_request=KeyGuard(
            os.environ["LEDGER_ADMIN_KEY"], KeyRing(Database("")), SystemClock()
        ),
        openapi_config=None,
        logging_config=None,
    )
    await Server(server_config(app)).serve(sockets=[listen("127.0.0.1", 0)])
    return 0


if __name__ == "__main__":
    main()
