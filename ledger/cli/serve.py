"""`ledger serve`."""

import logging

import click
import uvicorn

from ledger.api.app import create_app
from ledger.bootstrap import admin_key, open_ledger
from ledger.cli.running import command, stderr
from ledger.jobs.scheduler import scheduled_jobs
from ledger.settings import read_settings

KEEP_ALIVE_S = 75
GRACE_S = 30


class Server(uvicorn.Server):
    """Tells where it listens once it does, so that port 0 is of use."""

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Begin to listen."""
        await super().startup(sockets)  # type: ignore[arg-type]
        for server in getattr(self, "servers", []):
            for socket in server.sockets:
                host, port = socket.getsockname()[:2]
                stderr().print(f"ledger: listening on http://{host}:{port}")


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
        config = uvicorn.Config(
            create_app(ledger, key),
            host=host or settings.host,
            port=settings.port if port is None else port,
            access_log=False,
            log_config=None,
            http="httptools",
            lifespan="on",
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
            server_header=False,
        )
        server = Server(config)
        await server.serve()
        return 0 if server.started else 2
