"""`ledger keys`: made, listed, revoked."""

import json

import pytest

from ledger.core.keys import key_id_in
from tests.cli.conftest import Run


def test_a_key_is_printed_alone_on_stdout(run: Run) -> None:
    """So that a script can take it; what there is to say about it goes to stderr."""
    done = run(
        "keys", "create", "--name", "gateway", "--scope", "ingest, read", "--reason", "a first one"
    )
    key = done.stdout.rstrip("\n")
    assert key_id_in(key)
    assert "shown once" in done.stderr
    [listed] = json.loads(run("keys", "list", "--json").stdout)["keys"]
    assert listed["key_id"] == key_id_in(key)
    assert listed["scopes"] == ["ingest", "read"]
    assert key not in run("keys", "list").stdout


def test_keys_are_listed_with_what_they_may_do_until_when(run: Run) -> None:
    """Revoked ones too; the table fits 80 columns."""
    options = ("--scope", "finance", "--customer", "acme", "--expires", "2099-01-01")
    bound = json.loads(run("keys", "create", "--name", "books", *options, "--json").stdout)
    assert {name: bound[name] for name in ("name", "scopes", "customer_id", "expires_at")} == {
        "name": "books",
        "scopes": ["finance"],
        "customer_id": "acme",
        "expires_at": "2099-01-01T00:00:00Z",
    }
    other = json.loads(run("keys", "create", "--name", "old", "--scope", "read", "--json").stdout)
    said = run("keys", "revoke", other["key_id"], "--reason", "left in a log").stdout
    assert said.startswith(f"{other['key_id']} (old) was revoked at 20")
    again = json.loads(run("keys", "revoke", other["key_id"], "--json").stdout)
    assert again["revoked_at"] in said
    table = run("keys", "list").stdout
    for word in (bound["key_id"], other["key_id"], "acme", "until 2099-01-01", "revoked 20"):
        assert word in table
    assert max(len(line.rstrip()) for line in table.splitlines()) <= 80


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ("create", "--name", "n", "--scope", "everything"),
            "scopes: must be some of ingest, read",
        ),
        (("create", "--name", "", "--scope", "read"), "name: must have 1 to 255"),
        (
            ("create", "--name", "n", "--scope", "admin", "--customer", "acme"),
            "scopes: must not be admin",
        ),
        (
            ("create", "--name", "n", "--scope", "read", "--expires", "2020-01-01"),
            "expires_at: must lie",
        ),
        (("revoke", "lk_0000000000"), "no such key"),
    ],
)
def test_what_cannot_be_is_said(run: Run, words: tuple[str, ...], complaint: str) -> None:
    """With exit code 2, and no key comes of it."""
    assert complaint in run("keys", *words, code=2).stderr
    assert json.loads(run("keys", "list", "--json").stdout)["keys"] == []
