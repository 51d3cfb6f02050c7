"""Keys: what is kept of them, when they are alive, what may be asked of whoever wants one made."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from ledger.core.keys import LAST_EXPIRY, ApiKey, Scope, key_digest, key_faults, key_id_in
from ledger.randomness import new_key

NOW = datetime(2026, 11, 20, tzinfo=UTC)
TEXT = "lk_7h3kq9xw2m_" + "s" * 43
KEY = ApiKey("lk_7h3kq9xw2m", key_digest(TEXT), "gateway", frozenset({Scope.READ}), NOW, "admin")


def test_a_key_opens_with_its_text_alone() -> None:
    """One character more, less or other, and it does not; half a surrogate pair neither, nor breaks."""
    assert KEY.opens_with(TEXT, NOW)
    for other in (
        TEXT[:-1],
        TEXT + "s",
        TEXT[:-1] + "t",
        TEXT.upper(),
        "",
        TEXT + "\udc80",
        KEY.key_id,
    ):
        assert not KEY.opens_with(other, NOW)


def test_a_key_ends_at_its_expiry_and_by_revocation() -> None:
    """Until its last instant it opens, and from there on not."""
    expiring = msgspec.structs.replace(KEY, expires_at=NOW)
    assert expiring.opens_with(TEXT, NOW - timedelta(microseconds=1))
    assert not expiring.opens_with(TEXT, NOW)
    assert not msgspec.structs.replace(KEY, revoked_at=NOW).opens_with(TEXT, NOW)


@pytest.mark.parametrize("scope", Scope)
def test_admin_may_everything_and_the_others_what_they_are_named_for(scope: Scope) -> None:
    """What needs no named scope is for admins alone."""
    key = msgspec.structs.replace(KEY, scopes=frozenset({scope}))
    for wanted in Scope:
        assert key.may(frozenset({wanted})) == (scope in {wanted, Scope.ADMIN})
    assert key.may(frozenset()) == (scope is Scope.ADMIN)


def test_new_keys_are_keys_and_differ() -> None:
    """Of a thousand no two have the same id or secret, and each is read as one."""
    texts = [new_key() for _ in range(1000)]
    ids = [key_id_in(text) for text in texts]
    assert None not in ids
    assert len(set(ids)) == len({text[14:] for text in texts}) == 1000


@pytest.mark.parametrize(
    "text",
    ["", "lk_", "lk_7h3kq9xw2m", TEXT + "\n", TEXT[1:], "xk" + TEXT[2:], TEXT[:20], TEXT + "s"],
)
def test_what_is_no_key_has_no_id(text: str) -> None:
    """So that it is refused without a question to the database."""
    assert key_id_in(text) is None


def test_every_fault_of_a_wanted_key_is_named() -> None:
    """All of them at once."""
    faults = key_faults("", ["read", "admin", "wrote"], "acme", NOW, NOW)
    assert [(fault.field, fault.code) for fault in faults] == [
        ("name", "invalid_name"),
        ("scopes", "invalid_scope"),
        ("scopes", "admin_bound"),
        ("expires_at", "in_the_past"),
    ]
    assert [fault.code for fault in key_faults("a\nb", [], None, None, NOW)] == [
        "invalid_name",
        "invalid_scope",
    ]
    [late] = key_faults("gateway", ["read"], None, LAST_EXPIRY, NOW)
    assert (late.field, late.code) == ("expires_at", "out_of_range")
    assert key_faults("gateway", ["ingest", "read"], "acme", NOW + timedelta(days=1), NOW) == []
