"""What the Dockerfile builds works. The steps are done in a folder; where an engine runs, for real too."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

import ledger
from tests.container_files import (
    ROOT,
    SECRETS,
    as_user,
    build,
    engine_runs,
    free_environment,
    health_command,
    image_environment,
    in_this_python,
    others_may_read,
    sent_context,
    steps,
)
from tests.servers import data_folder

RECORD = {"request_id": "req_1", "customer_id": "acme", "model": "m", "input_tokens": 1}


@pytest.fixture(scope="module")
def layout() -> Iterator[Path]:
    """What the image has in /srv/ledger, built from a checkout that a strict umask closed to others."""
    with data_folder() as folder:
        context = sent_context(folder / "context")
        for path in context.rglob("*"):
            path.chmod(path.stat().st_mode & 0o700)
        yield build(context, folder / "root")


def test_what_is_built_is_open_to_all_and_writable_by_none(layout: Path) -> None:
    """Whatever umask the checkout was made with. Compiled, and no cache or secret came along."""
    paths = [layout, *layout.rglob("*")]
    assert [path for path in paths if not others_may_read(path)] == []
    sources = sum(path.suffix == ".py" for path in paths)
    assert sources == sum(path.suffix == ".pyc" for path in paths) > 100
    assert {path.name for path in layout.iterdir()} == {"ledger", "pricing", "sql", "LICENSE"}


def entry(*words: str) -> list[str]:
    """The image's entry point with a command."""
    (entrypoint,) = steps("ENTRYPOINT")
    return in_this_python([*entrypoint.argv, *words])


def environment_in(layout: Path, **changes: str) -> dict[str, str]:
    """The image's environment, its sources where they were built."""
    environment = free_environment(**image_environment())
    assert environment["PYTHONPATH"] == "/srv/ledger"
    return environment | {"PATH": os.environ["PATH"], "PYTHONPATH": str(layout)} | changes


def test_what_is_built_is_whole(layout: Path, database_url: str) -> None:
    """It migrates, which reads SQL and rate tables, and needs nothing of the checkout."""
    environment = environment_in(layout, LEDGER_DATABASE_URL=database_url)
    for words in (["migrate"], ["verify"]):
        done = subprocess.run(
            entry(*words),
            env=environment,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert str(ROOT) not in done.stdout + done.stderr


def test_a_stranger_can_run_it(layout: Path) -> None:
    """As the image's user, who owns nothing and has no name, where the tests may become another."""
    (user,) = steps("USER")
    shown = subprocess.run(
        entry("--version"),
        env=environment_in(layout),
        cwd="/",
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
        **as_user(user.rest),
    )
    assert ledger.__version__ in shown.stdout


@contextmanager
def served(layout: Path, database_url: str, port: int) -> Iterator[subprocess.Popen[str]]:
    """The image's own command at work on a free port of this machine."""
    environment = environment_in(
        layout,
        LEDGER_DATABASE_URL=database_url,
        LEDGER_ADMIN_KEY=SECRETS["LEDGER_ADMIN_KEY"],
        LEDGER_HOST="127.0.0.1",
        LEDGER_PORT=str(port),
    )
    command = entry(*steps("CMD")[0].argv)
    with subprocess.Popen(
        command, env=environment, cwd="/", stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            yield server
        finally:
            server.kill()


def health(port: int) -> int:
    """How the image's health check ends, whatever proxy the environment names."""
    environment = free_environment(LEDGER_PORT=str(port), http_proxy="http://127.0.0.1:9")
    return subprocess.run(
        health_command(), env=environment, capture_output=True, timeout=20, check=False
    ).returncode


def test_the_health_check_tells_life_from_death(layout: Path, database_url: str) -> None:
    """0 while the service answers; not 0 before, nor after the signal that an engine stops it with."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert health(port) != 0

    with served(layout, database_url, port) as server:
        assert server.stderr
        while "listening" not in (line := server.stderr.readline()):
            assert line, "it ended before it listened"
        assert health(port) == 0
        server.send_signal(signal.Signals[steps("STOPSIGNAL")[0].rest])
        assert server.wait(30) == 0, server.stderr.read()

    assert health(port) != 0


def post_when_ready(port: str) -> int:
    """The status of a record, once the service answers."""
    headers = {"Authorization": f"Bearer {SECRETS['LEDGER_ADMIN_KEY']}"}
    base = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=base, headers=headers, timeout=30) as client:
        for _ in range(120):
            with suppress(httpx.TransportError):
                if client.get("/readyz").status_code == 200:
                    break
            time.sleep(0.5)
        return client.post("/v1/requests", json=RECORD).status_code


@pytest.mark.skipif(not engine_runs(), reason="no container engine here")
def test_two_commands_from_nothing_to_a_record() -> None:
    """Where an engine runs: compose builds, migrates, serves, stops in order, and keeps the data."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    project = f"ledger-test-{os.getpid()}"
    environment = {**os.environ, **SECRETS, "LEDGER_PORT": port}

    def docker_compose(*words: str) -> None:
        subprocess.run(
            ["docker", "compose", "--project-name", project, *words],
            cwd=ROOT,
            env=environment,
            check=True,
            timeout=900,
        )

    try:
        docker_compose("up", "--detach")
        assert post_when_ready(port) == 201
        docker_compose("restart", "postgres", "ledger")
        assert post_when_ready(port) == 200
        docker_compose("exec", "ledger", "python", "-m", "ledger", "verify")
    finally:
        docker_compose("down", "--volumes", "--rmi", "local")
