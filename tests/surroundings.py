"""Surroundings that a new user may have, and what is to be expected in each."""

import os
import pwd
from typing import Any

import msgspec

LONG = "long-" * 30
ADMIN_KEY = "an-admin-key-to-try-an-install-with-0123"


class Surrounding(msgspec.Struct, frozen=True):
    """One way to be a new user. In its texts `{home}` is a folder of that user's."""

    name: str
    environment: dict[str, str] = {}
    checkout: str = "ledger"
    user: str = ""  # "": whoever runs the trial; `nobody`; `stranger` has no name on this system
    umask: int = 0o022
    is_read_only: bool = False
    has_own_install: bool = False  # packages from nothing, in place of the shared environment
    redirection: str = ""
    at_once: int = 1  # so many demos together
    code: int = 0  # of demo and of the server
    words: str = ""  # that must stand on stderr then

    @property
    def needs_root(self) -> bool:
        """Whether only root can become the user."""
        return bool(self.user)

    def identity(self) -> dict[str, Any]:
        """How to start a program as its user."""
        if not self.user:
            return {}
        entry = pwd.getpwnam("nobody")
        user, group = (12345, 12345) if self.user == "stranger" else (entry.pw_uid, entry.pw_gid)
        return {"user": user, "group": group, "extra_groups": []}


DATA = "{home}/data"
HOME = {"HOME": "{home}"}
NO_NAME = "which has no name on this system"

# The first makes the environment that others share, so it stands first.
SURROUNDINGS = (
    Surrounding("nothing set, from nothing", {"PIP_NO_CACHE_DIR": "1"}, has_own_install=True),
    Surrounding("an ordinary user", HOME, user="nobody"),
    Surrounding("a path with spaces", HOME, checkout="my ledger's folder"),
    Surrounding(
        "a read-only checkout, from nothing",
        HOME,
        user="nobody",
        is_read_only=True,
        has_own_install=True,
    ),
    Surrounding("no home", user="nobody", is_read_only=True),
    Surrounding("a home that is not there", {"HOME": "/nonexistent"}, user="nobody"),
    Surrounding("a user without a name", HOME, user="stranger", code=2, words=NO_NAME),
    Surrounding("umask 077", HOME, umask=0o077),
    Surrounding("umask 077, an ordinary user", HOME, user="nobody", umask=0o077),
    Surrounding("a long TMPDIR", {"TMPDIR": "{home}/" + LONG}, user="nobody"),
    Surrounding("a TMPDIR that is not there", {"TMPDIR": "/nonexistent"}, user="nobody"),
    Surrounding("an unknown locale", {"LC_ALL": "tlh_QO.UTF-8", "LANG": "C"}),
    Surrounding("a long data folder", {"LEDGER_DATA_DIR": "{home}/" + LONG + "/" + LONG}),
    Surrounding("a data folder with spaces", {"LEDGER_DATA_DIR": "{home}/my data/Zähler 計"}),
    Surrounding("no UTF-8", {"LEDGER_DATA_DIR": os.fsdecode(b"{home}/\xff"), "LC_ALL": "C"}),
    Surrounding("stdin and stdout closed", HOME, redirection="<&- >&-"),
    Surrounding("two demos at once", HOME, user="nobody", at_once=2),
)
