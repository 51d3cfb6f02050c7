"""What looks like a secret by its name is never stored whole."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.core.secrets import hide_secrets_in_bytes

LONG = "sk-0123456789abcdefghij"


def hidden(record: object) -> str:
    """A record as it is kept."""
    return hide_secrets_in_bytes(json.dumps(record).encode()).decode()


@pytest.mark.parametrize(
    "name",
    [
        "key", "secret", "token", "password", "authorization", "Authorization", "KEY",
        "provider_key", "secret_key", "connection_secret", "access_token", "x-api-key",
        "X-Goog-Api-Key", "apikey", "apiKey", "providerKey", "clientSecret", "openai.token",
    ],
)  # fmt: skip
def test_a_text_under_a_secret_s_name_becomes_a_hint(name: str) -> None:
    """Its first four characters and its length, wherever it stands."""
    for record in ({name: LONG}, {"a": [{"b": {name: LONG}}]}):
        kept = hidden(record)
        assert LONG not in kept
        assert "sk-0… (23 characters)" in json.dumps(json.loads(kept), ensure_ascii=False)


@pytest.mark.parametrize(
    "record",
    [
        {"input_tokens": 845, "output_tokens": 412},
        {"completion_tokens": "412"},
        {"provider_key_type": "managed"},
        {"monkey": "a very long animal", "turkey": "another one"},
        {"key_count": "12345678", "tokens": "12345678", "secretary": "12345678"},
        {"model": "key", "note": "the token is the key"},
        {"token": 5, "key": None, "secret": True},
    ],
)
def test_what_is_no_secret_stays_as_it_is(record: object) -> None:
    """Only whole words at the end of a name count, and only text under them."""
    assert hidden(record) == json.dumps(record)


@pytest.mark.parametrize(
    ("secret", "shown"), [("", ""), ("abc", ""), ("abcd", "a"), ("a" * 8, "aa"), (LONG, "sk-0")]
)
def test_a_hint_shows_a_quarter_at_most(secret: str, shown: str) -> None:
    """A short secret would be given away by four characters."""
    assert json.loads(hidden({"key": secret}))["key"] == f"{shown}… ({len(secret)} characters)"


def test_an_array_of_secrets_is_hidden_text_by_text() -> None:
    """As header lists have them; brackets inside of texts do not end it."""
    kept = json.loads(hidden({"authorization": [f"a]{LONG}", LONG, [], 5], "after": "stays"}))
    assert kept == {
        "authorization": ["a]sk… (25 characters)", "sk-0… (23 characters)", [], 5],
        "after": "stays",
    }


@pytest.mark.parametrize(
    "text",
    [
        f'{{"request_id": "r1", "provider_key": "{LONG}',  # cut off
        f'{{"provider_key" :\n"{LONG}", oops',
        f'{{"secret": "a\\"{LONG}"',
        f'{{"token": ["{LONG}"',
    ],
)
def test_broken_json_keeps_its_secrets_too(text: str) -> None:
    """What lies in quarantine is often no JSON."""
    assert LONG not in hide_secrets_in_bytes(text.encode()).decode()


def test_bytes_that_are_no_text_are_hidden_as_well() -> None:
    """The hint is valid UTF-8 whatever stood there."""
    kept = hide_secrets_in_bytes(b'{"key": "\xff\xfe\xfd\xfc secret", "a": "\xff"}')
    assert b"secret" not in kept
    assert kept.endswith(b'"a": "\xff"}')


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["key", "a_token", "x", "Secret"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(json_values)
@example({"key": ["", []]})
def test_json_stays_json(value: object) -> None:
    """Hiding replaces values and nothing else."""
    kept = hide_secrets_in_bytes(json.dumps(value).encode())
    json.loads(kept)


@given(json_values)
@example({"key": 'ß\u20ac\\"… a longer secret'})
def test_what_is_hidden_stays_as_it_is(value: object) -> None:
    """A record that was kept and is sent again says of its secrets what it said."""
    kept = hide_secrets_in_bytes(json.dumps(value).encode())
    assert hide_secrets_in_bytes(kept) == kept
