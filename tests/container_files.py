"""The container files as values: what the Dockerfile does step by step, what compose.yaml comes to."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import yaml

ROOT = Path(__file__).parents[1]
SECRETS = {
    "LEDGER_ADMIN_KEY": "an-admin-key-for-containers-0123456789",
    "LEDGER_MIGRATOR_PASSWORD": "the-migrator's",
    "LEDGER_SERVER_PASSWORD": "the-server's",
}
_VARIABLE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")


class Step(msgspec.Struct, frozen=True):
    """One instruction of a Dockerfile."""

    stage: int  # counted from 0
    word: str  # FROM, COPY, ...
    rest: str

    @property
    def argv(self) -> list[str]:
        """The words of an instruction in its JSON form."""
        words: list[str] = json.loads(self.rest)
        return words


@cache
def dockerfile() -> tuple[Step, ...]:
    """The instructions in order, comments gone and lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    stage, steps = -1, []
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        word, _, rest = line.partition(" ")
        if word:
            stage += word == "FROM"
            steps.append(Step(stage, word, rest))
    return tuple(steps)


def steps(word: str, stage: int | None = None) -> list[Step]:
    """The instructions of one kind, of all stages or one; -1 is the last, which becomes the image."""
    wanted = dockerfile()[-1].stage if stage == -1 else stage
    return [each for each in dockerfile() if each.word == word and wanted in (None, each.stage)]


def image_environment() -> dict[str, str]:
    """What the ENV instructions of the image set."""
    pairs = " ".join(step.rest for step in steps("ENV") if step.stage != 1)
    return dict(pair.split("=", 1) for pair in pairs.split())


def health_command() -> list[str]:
    """The program that a container engine runs to learn whether the service lives."""
    rest = steps("HEALTHCHECK")[-1].rest
    command: list[str] = json.loads(rest[rest.index("[") :])
    return in_this_python(command)


def in_this_python(command: list[str]) -> list[str]:
    """The same command, for the interpreter of the tests."""
    assert command[0] == "python"
    return [sys.executable, *command[1:]]


def build(context: Path, root: Path) -> Path:
    """Lay out below `root` what the image has in /srv/ledger, by the Dockerfile's own steps.

    What pip and venv do is left out: the environment of the tests has the same packages.
    """
    for step in dockerfile():
        if step.word == "COPY" and not step.rest.startswith("--from="):
            source, target = step.rest.split()
            _copy(context / source, root / PurePosixPath(target).relative_to("/"), target)
        elif step.word == "RUN" and "/srv/ledger" in step.rest:
            (root / "opt/ledger/lib").mkdir(parents=True, exist_ok=True)
            command = re.sub(r"(?<= )/(?=opt/|srv/)", f"{root}/", step.rest)
            command = re.sub(r"\bpython\b", sys.executable, command)
            subprocess.run(["/bin/sh", "-c", command], check=True, timeout=60)
    return root / "srv" / "ledger"


def _copy(source: Path, place: Path, target: str) -> None:
    if source.is_dir():
        shutil.copytree(source, place)
    else:
        into = place / source.name if target.endswith("/") else place
        into.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, into)


def sent_context(target: Path) -> Path:
    """A copy of what an engine is sent: the checkout without what `.dockerignore` leaves out."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*", "everything is left out, but for what is named"
    target.mkdir()
    for name in (line[1:] for line in patterns if line.startswith("!")):
        _copy(ROOT / name, target / name, name)
    for pattern in patterns[1:]:
        if not pattern.startswith("!"):
            for found in list(target.glob(pattern)):
                shutil.rmtree(found)
    return target


class Missing(Exception):
    """A variable that compose.yaml insists on is not set."""


def compose(environment: Mapping[str, str]) -> Any:
    """compose.yaml with its variables filled in, as `docker compose` does it."""

    def filled(found: re.Match[str]) -> str:
        name, operator, words = found.groups()
        value = environment.get(name, "")
        if not value and operator == ":?":
            raise Missing(f"{name}: {words}")
        return value or (words or "" if operator == ":-" else "")

    return yaml.safe_load(_VARIABLE.sub(filled, (ROOT / "compose.yaml").read_text()))


def variables() -> set[str]:
    """Every variable that compose.yaml reads."""
    return {name for name, _, _ in _VARIABLE.findall((ROOT / "compose.yaml").read_text())}


def texts(value: Any) -> Iterator[str]:
    """Every text anywhere in a document."""
    if isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    else:
        yield str(value)


def engine_runs() -> bool:
    """Whether images can be built here and `docker compose` is there."""
    if shutil.which("docker") is None:
        return False
    try:
        for words in (["docker", "info"], ["docker", "compose", "version"]):
            subprocess.run(words, capture_output=True, timeout=10, check=True)
    except subprocess.SubprocessError:
        return False
    return True


def others_may_read(path: Path) -> bool:
    """Whether a user who does not own it can read a file, or enter a folder, and not write it."""
    mode = path.lstat().st_mode & 0o777
    return mode & 0o007 == (0o005 if path.is_dir() or mode & 0o100 else 0o004)


def as_user(user: str) -> dict[str, Any]:
    """How to start a program as a user such as `10001:10001`; where that cannot be, as ourselves."""
    user_id, group_id = map(int, user.split(":"))
    chosen: dict[str, Any] = {"user": user_id, "group": group_id, "extra_groups": []}
    try:
        subprocess.run([sys.executable, "-V"], capture_output=True, check=True, **chosen)
    except (PermissionError, subprocess.CalledProcessError):
        return {}
    return chosen


def free_environment(**changes: str) -> dict[str, str]:
    """No variable of the caller's but the path."""
    return {"PATH": os.environ["PATH"], **changes}
