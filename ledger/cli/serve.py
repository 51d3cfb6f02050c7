"""`ledger serve`."""

import gc
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import uvicorn

from ledger.api.app import create_app
from ledger.bootstrap import admin_key, open_ledger
from ledger.cli.running import DONE, WRONG_USAGE, command, stderr
from ledger.jobs.scheduler import scheduled_jobs
from ledger.settings import read_settings

KEEP_ALIVE_S = 75
GRACE_S = 30
# Intake makes many objects that live for a batch and none that form cycles; looking for garbage among
# them costs about a tenth of the rate.
COLLECT_AFTER_OBJECTS = 100_000


class Server(uvicorn.Server):
    """A server that tells where it listens, and leaves the closing to its caller when it is told to stop."""

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        for server in getattr(self, "servers", []):
            for socket in server.sockets:
                host, port = socket.getsockname()[:2]
                stderr().print(f"ledger: listening on http://{host}:{port}")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT, at once on a second one; the signal is not raised again after.

        What opened the ledger must be left in order, or an embedded server would stay behind.
        """
        before = {
            each: signal.signal(each, self.handle_exit) for each in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def server_config(app: Any, host: str, port: int) -> uvicorn.Config:
    """How the product serves an application."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        http="httptools",
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )


@click.command("serve")
@click.option("--host", help="Address to listen on; LEDGER_HOST or 127.0.0.1.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port; LEDGER_PORT or 8080; 0: any free one."
)
@command
async def command_group(host: str | None, port: int | None) -> int:
    """Serve the API, with its writer and its jobs.

    Example: ledger serve --port 8080

    Without LEDGER_DATABASE_URL an embedded PostgreSQL runs in LEDGER_DATA_DIR for as long as it is needed.
    TLS is left to a proxy in front.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = read_settings()
    key, path = admin_key(settings)
    if path is not None:
        stderr().print(f"ledger: the admin key lies in {path}")
    async with open_ledger(settings, migrating=True) as ledger, scheduled_jobs(ledger):
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER_OBJECTS)
        app = create_app(ledger, key)
        server = Server(
            server_config(app, host or settings.host, settings.port if port is None else port)
        )
        await server.serve()
        return DONE if server.started else WRONG_USAGE
