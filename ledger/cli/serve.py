"""`ledger serve`."""

import gc
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import Any

import click
import uvicorn

import ledger as product
from ledger.api.app import create_app
from ledger.api.connections import Bounds, connection_class
from ledger.bootstrap import admin_key, open_ledger
from ledger.cli.running import (
    DONE,
    WRONG_USAGE,
    command,
    remark,
)
from ledger.cli.signals import SIGNALS
from ledger.core.errors import SetupError
from ledger.jobs.scheduler import Looks, scheduled_jobs
from ledger.logs import begin_log, logger
from ledger.metrics.http import HttpMetrics
from ledger.metrics.instruments import Metrics
from ledger.settings import read_settings
from ledger.store.migrations import newest_migration
from ledger.traces.collected import collected_traces

_LOG = logger(__name__)

KEEP_ALIVE_S = 75
GRACE_S = 30
# Intake makes many objects that live for a batch and none that form cycles; looking for garbage among
# them costs about a tenth of the rate.
COLLECT_AFTER_OBJECTS = 100_000
# Files and sockets that are no client's: the log, SQL, the database's connections.
FILES_OF_OUR_OWN = 256


class Server(uvicorn.Server):
    """A server that tells where it listens, and leaves signals to its caller."""

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        for server in getattr(self, "servers", []):
            for listening in server.sockets:
                host, port = listening.getsockname()[:2]
                remark(f"ledger: listening on http://{host}:{port}")
                _LOG.info(
                    "server_started",
                    host=host,
                    port=port,
                    version=product.__version__,
                    schema=newest_migration(),
                )

    async def shutdown(self, sockets: list[Any] | None = None) -> None:
        """Take no more connections, and end those there are."""
        _LOG.info("server_stopping")
        await super().shutdown(sockets)

    def stop(self) -> None:
        """Take no more connections, answer what was asked, and end."""
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """What signals do is decided in `ledger.cli.signals`."""
        yield


def server_config(
    app: Any, bounds: Bounds | None = None, metrics: HttpMetrics | None = None
) -> uvicorn.Config:
    """How the product serves an application; its connections are counted in the metrics."""
    return uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        http=connection_class(bounds or Bounds(), metrics),
        ws="none",
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
@click.option(
    "--share-port",
    is_flag=True,
    help="Let other servers that are told the same listen at this port; the system spreads connections.",
)
@click.option(
    "--jobs/--no-jobs",
    "with_jobs",
    default=True,
    show_default=True,
    help="Run the jobs beside the API; without, `ledger jobs run` is to run somewhere.",
)
@command
async def command_group(
    host: str | None, port: int | None, *, share_port: bool, with_jobs: bool
) -> int:
    """Serve the API, with its writer and its jobs.

    Example: ledger serve --port 8080

    Without LEDGER_DATABASE_URL an embedded PostgreSQL runs in LEDGER_DATA_DIR for as long as it is needed.
    TLS is left to a proxy in front. SIGTERM or SIGINT answers what was asked and ends within 45 s, a second
    one ends at once.
    """
    settings = read_settings()
    begin_log(settings.log_level, settings.log_format)
    port = settings.port if port is None else port
    listener = listen(host or settings.host, port, is_shared=share_port)
    key, path = admin_key(settings)
    if path is not None:
        remark(f"ledger: the admin key lies in {path}")
    metrics = Metrics()
    async with collected_traces(), open_ledger(settings, migrating=True) as ledger:
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER_OBJECTS)
        bounds = Bounds(most_connections=connections_within_limits(settings.max_connections))
        app = create_app(ledger, key, metrics)
        server = Server(server_config(app, bounds, metrics.http))
        async with scheduled_jobs(ledger, metrics) if with_jobs else nullcontext(Looks()) as jobs:

            def stop() -> None:
                server.stop()
                jobs.stop()

            with SIGNALS.call(stop):
                await server.serve(sockets=[listener])
    _LOG.info("server_stopped")
    return DONE if server.started else WRONG_USAGE


def connections_within_limits(wanted: int | None) -> int:
    """How many connections may be open: those wanted, or fewer if the process may not open so many files.

    Raises the limit of this process as far as it may.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):  # where the system has a lower limit than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted_or_default = wanted or Bounds().most_connections
    if soft == resource.RLIM_INFINITY:
        return wanted_or_default
    most = max(1, soft - FILES_OF_OUR_OWN)
    if wanted is not None and wanted > most:
        remark(f"ledger: LEDGER_MAX_CONNECTIONS is {wanted}, open files allow {most}")
    return min(wanted_or_default, most)


def listen(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """Take an address before anything else is begun; `is_shared`: beside others who share it.

    Raises:
        SetupError: it is in use, not ours, or no address.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )[0]
        with ExitStack() as taken:
            listener = taken.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if is_shared:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(address)
            taken.pop_all()
    except OSError as error:
        raise SetupError(
            f"cannot listen on {host}:{port}: {error.strerror}; "
            "choose another address with --host and --port, or LEDGER_HOST and LEDGER_PORT"
        ) from None
    return listener
