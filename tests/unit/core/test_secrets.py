"""What looks like a secret by its name is never stored whole."""

import json

import pytest

from ledger.core.keys import key_id_in
from ledger.core.records import KEPT_FIELDS, RequestRecord
from ledger.core.secrets import hide_own_keys, hide_secrets_in_bytes
from ledger.randomness import new_key

LONG = "sk-0123456789abcdefghij"
HINT = "sk-0… (23 characters)"


def hidden(record: object) -> str:
    """A record as it is kept."""
    return hide_secrets_in_bytes(json.dumps(record).encode()).decode()


@pytest.mark.parametrize(
    "name",
    [
        "key", "secret", "token", "password", "authorization", "Authorization", "KEY",
        "provider_key", "secret_key", "connection_secret", "access_token", "x-api-key",
        "X-Goog-Api-Key", "apikey", "apiKey", "providerKey", "clientSecret", "openai.token",
        "keys", "access_tokens", "tokens", "refreshTokens", "credentials", "credential", "passwd",
        "bearer", "token_value", "keyValue", "OPENAI_API_KEY", "openaiAPIKey", "\u00fckey",
        "a\nkey", 'b"key',
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
        {"token": 5, "key": None, "secret": True, "bearer": -1.5e3, "passwd": False},
        {"input_tokens": "many", "max_tokens": 4096, "cached_tokens": 0, "audio_tokens": [1, 2.5]},
        {"prompt_tokens_details": {"cached_tokens": 7}, "tokens": {"input": 5, "of": [[1], {}]}},
        {"fireworks-prompt-tokens": "412", "x-tokens": ["412", "7.5", -1], "total_tokens": "1257"},
        {"key": [], "keys": {}, "note": {"key": {"number": 5}}},
        {"note": 'say "key": "abcdefgh"', "b": "a\\", "key: ": ": key"},
        {"zip": "lk_short", "text": "\u0041bc", "lk_": "lk_0123456789"},
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


def test_texts_in_a_row_become_one_hint() -> None:
    """As header lists have them; brackets inside of texts do not end it."""
    kept = json.loads(
        hidden({"authorization": [f"a]{LONG}", LONG, [LONG], 5, "x"], "after": "stays"})
    )
    assert kept == {
        "authorization": [
            "a]sk… (25 characters, first of 2)",
            ["sk-0… (23 characters)"],
            5,
            "… (1 characters)",
        ],
        "after": "stays",
    }


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        ({"authorization": {"bearer": LONG}}, {"authorization": {"bearer": HINT}}),
        ({"key": [[LONG]], "a": LONG}, {"key": [[HINT]], "a": LONG}),
        ({"key": [1, LONG, None]}, {"key": [1, HINT, None]}),
        (
            {"credentials": [{"name": LONG, "of": {"n": 1.50, "x": [LONG]}}, True], "b": {"c": LONG}},
            {"credentials": [{"name": HINT, "of": {"n": 1.50, "x": [HINT]}}, True], "b": {"c": LONG}},
        ),
        ({"tokens": {"input": 5, "of": LONG, "n": "7"}}, {"tokens": {"input": 5, "of": HINT, "n": "7"}}),
        ({"keys": {"pin": "1234"}}, {"keys": {"pin": "1… (4 characters)"}}),
    ],
)  # fmt: skip
def test_all_texts_below_a_secret_s_name_are_hidden(record: object, kept: object) -> None:
    """However deep they stand; the numbers among them stay, and what stands beside."""
    assert json.loads(hidden(record)) == kept


def test_a_name_may_be_written_in_escapes() -> None:
    """An escaped letter is that letter. Where nothing is hidden every escape stays."""
    assert hide_secrets_in_bytes(b'{"\\u006bey": "abc", "\\u00e4\\u0022\\n": 1}') == (
        b'{"key": "\\u2026 (3 characters)", "\\u00e4\\u0022\\n": 1}'
    )
    untouched = b'{"\\u006beys?": "\\u0061bc", "\\\\u006bey": 1}'
    assert hide_secrets_in_bytes(untouched) == untouched


def test_everything_beside_a_secret_stays_byte_for_byte() -> None:
    """Digits, white space, NaN, halves of surrogate pairs, names that stand twice."""
    around = '{"a" :1.50, "b":NaN,"a":\t1E400, "\\ud800": "\\n\\udfff", %s }'
    kept = hide_secrets_in_bytes((around % '"key" : "0123456789"').encode())
    assert kept.decode() == around % '"key" : "01\\u2026 (10 characters)"'


def test_our_own_keys_are_hidden_wherever_they_stand() -> None:
    """By their look, in names and texts and in what is no JSON; by its id it can be found."""
    key = new_key()
    hint = f"{key_id_in(key)}_… (57 characters)"
    first = f"lk_{'aB0-_' * 8}xyz"  # as the first start writes it
    kept = hidden({"note": f"mine: {key}.", key: [{"x": f"Bearer {first}"}], "token": key})
    assert json.loads(kept) == {
        "note": f"mine: {hint}.",
        hint: [{"x": "Bearer lk_… (46 characters)"}],
        "token": hint,
    }
    assert hide_secrets_in_bytes(f"no JSON {key}!".encode()) == (
        f"no JSON {key_id_in(key)}_\\u2026 (57 characters)!".encode()
    )
    assert hide_own_keys(f"a {key} {first}") == f"a {hint} lk_… (46 characters)"
    assert hide_own_keys("lk_0123456789 of a customer") == "lk_0123456789 of a customer"


def test_no_field_that_we_record_bears_a_secret_s_name() -> None:
    """What is wrong with one of them must be seen by its text."""
    fields = [name for name in RequestRecord.__struct_fields__ if name not in KEPT_FIELDS]
    record = dict.fromkeys(fields, "a wrong text")
    assert hidden(record) == json.dumps(record)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"request_id": "r1", "provider_key": "{LONG}',  # cut off
        f'{{"provider_key" :\n"{LONG}", oops',
        f'{{"secret": "a\\"{LONG}"',
        f'{{"token": ["{LONG}"',
        f'{{"key": [1, {{"a": ["{LONG[:20]}',
        f'{{"a": "x"y", "key": "{LONG}"}}',
        f'{{"key": ["a"x", "{LONG}"]}}',
        f'{{"key": {LONG}, "a": 1}}',
        f'{{"key": "token": "{LONG}"}}',
        f'{{"key": ], "token": "{LONG}"}}',
        f'{{"api\\u005fkey": "{LONG}',
        f'{{"key": "\\x{LONG}"',
        f'{{"key": "{LONG}\\',
    ],
)
def test_broken_json_keeps_its_secrets_too(text: str) -> None:
    """What lies in quarantine is often no JSON."""
    assert LONG[:20] not in hide_secrets_in_bytes(text.encode()).decode()


@pytest.mark.parametrize(
    "stated", [f'{{"secret": "{LONG}"}}', f'{{"a": "{LONG[:3]} {"lk_0123456789_" + "aB" * 21}c"}}']
)
def test_the_beginning_of_a_record_shows_no_part_of_a_secret(stated: str) -> None:
    """Wherever it is cut off, four characters at most; of our own keys the id."""
    for length in range(len(stated)):
        kept = hide_secrets_in_bytes(stated.encode()[:length]).decode()
        assert "sk-01" not in kept
        assert "lk_0123456789_a" not in kept


def test_bytes_that_are_no_text_are_hidden_as_well() -> None:
    """The hint is valid UTF-8 whatever stood there."""
    kept = hide_secrets_in_bytes(b'{"key": "\xff\xfe\xfd\xfc secret", "a": "\xff"}')
    assert b"secret" not in kept
    assert kept.endswith(b'"a": "\xff"}')
