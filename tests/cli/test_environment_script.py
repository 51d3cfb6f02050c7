"""`scripts/_venv`: an environment is made once, whoever comes, and what is missing is said.

A stand-in for Python makes folders in place of environments and installs nothing.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAND_IN = f"""\
#!/bin/sh
case "$*" in
"-m venv --clear "*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
"-m pip --version") [ -e "$(dirname "$0")/pip" ] ;;
"-m pip install "*) echo installed >>"$INSTALLED"; sleep 0.3 ;;
*) exec {sys.executable} "$@" ;;
esac
"""
ASK = 'root=$1 lock=requirements.lock; . "$root/scripts/_venv" && echo "$LEDGER_VENV"'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the script and two locks, in a folder with a space in its name."""
    made = tmp_path / "a checkout"
    (made / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "_venv", made / "scripts")
    (made / "requirements.lock").write_text("one\n")
    (made / "requirements-dev.lock").write_text("one\ntwo\n")
    return made


@pytest.fixture
def python(tmp_path: Path) -> str:
    """The stand-in."""
    path = tmp_path / "python"
    path.write_text(STAND_IN)
    path.chmod(0o755)
    return str(path)


def start(checkout: Path, python: str, **changes: str) -> subprocess.Popen[str]:
    """Source the script, without an environment: not even PATH."""
    installed = str(checkout.parent / "installed")
    return subprocess.Popen(
        ["/bin/sh", "-euc", ASK, "sh", str(checkout)],
        env={"LEDGER_PYTHON": python, "INSTALLED": installed} | changes,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def installations(checkout: Path) -> int:
    """How often packages were installed."""
    return len((checkout.parent / "installed").read_text().splitlines())


def test_an_environment_is_made_once(checkout: Path, python: str) -> None:
    """By the first of those who come at once; the others wait for it. Later ones find it."""
    together = [start(checkout, python) for _ in range(3)]
    for each in together:
        out, err = each.communicate(timeout=30)
        assert (each.returncode, out) == (0, f"{checkout}/.venv\n"), err
    assert installations(checkout) == 1

    out, err = start(checkout, python).communicate(timeout=30)
    assert (out, err) == (f"{checkout}/.venv\n", "")


def test_an_environment_moves_with_its_checkout(checkout: Path, python: str) -> None:
    """It is known by the lock's name and content, so nothing is installed anew; for another lock it is."""
    start(checkout, python).communicate(timeout=30)
    moved = checkout.rename(checkout.parent / "moved")

    out, err = start(moved, python).communicate(timeout=30)
    assert (out, err) == (f"{moved}/.venv\n", "")

    (moved / "requirements.lock").write_text("another\n")
    start(moved, python).communicate(timeout=30)
    assert installations(moved) == 2


def test_a_python_without_venv_says_what_to_install(checkout: Path, tmp_path: Path) -> None:
    """As on a Debian without python3-venv; nothing half made is left."""
    (tmp_path / "venv.py").write_text("raise SystemExit('ensurepip is not available')\n")

    process = start(checkout, sys.executable, PYTHONPATH=str(tmp_path))
    _, err = process.communicate(timeout=30)

    assert process.returncode == 2
    assert "apt-get install python3-venv" in err
    assert not (checkout / ".venv").exists()


def test_a_place_that_cannot_be_made_is_named(checkout: Path, python: str) -> None:
    """With the variable that names another."""
    (checkout.parent / "file").touch()
    place = checkout.parent / "file" / "venv"

    process = start(checkout, python, LEDGER_VENV=str(place))
    _, err = process.communicate(timeout=30)

    assert process.returncode == 2
    assert f"{place} cannot be made. Name a folder of yours: LEDGER_VENV=" in err


def test_no_interpreter_is_told(checkout: Path) -> None:
    """None of that name, or one that is too old."""
    process = start(checkout, "no-such-python")
    assert "Install Python 3.11 or newer" in process.communicate(timeout=30)[1]
    assert process.returncode == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_checkout_that_cannot_be_written_is_left_alone(checkout: Path, python: str) -> None:
    """The environment goes to the user's cache, or without a home to a private folder."""
    checkout.chmod(0o555)
    home = checkout.parent / "home"
    home.mkdir()
    out, _ = start(checkout, python, HOME=str(home)).communicate(timeout=30)
    assert out == f"{home}/.cache/ledger/venv\n"

    out, _ = start(checkout, python, TMPDIR=str(checkout.parent)).communicate(timeout=30)
    private = checkout.parent / f"ledger-{os.getuid()}"
    assert out == f"{private}/venv\n"
    assert private.stat().st_mode & 0o777 == 0o700
