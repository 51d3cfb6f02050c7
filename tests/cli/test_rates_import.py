"""`ledger rates import`: from a file, a wheel or a package to drafts, and what was left out."""

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ledger.cli import price_lists, rate_imports
from ledger.cli.price_lists import read_price_list
from ledger.cli.rate_imports import import_command
from pricing import load_rate_table
from pricing.imports import DraftHead, DraftTable, SourceError, draft_text

LIST = {
    "gpt-x": {
        "litellm_provider": "openai",
        "input_cost_per_token": 1.5e-07,
        "output_cost_per_token": 6e-07,
    },
    "mistral/small": {"litellm_provider": "mistral", "input_cost_per_token": 1e-07},
    "mistral/free": {"litellm_provider": "mistral", "input_cost_per_token": 0},
}
DATA = """\
providers = [Provider(id='acme', models=[ModelInfo(id='m', match=ClauseEquals(equals='m'),
    prices=[ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('1'))),
            ConditionalPrice(constraint=StartDateConstraint(start_date=datetime.date(2026, 3, 13)),
                             prices=ModelPrice(input_mtok=Decimal('2')))])])]
raise SystemExit('this is read, and not run')
"""


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    """A small list in LiteLLM's form."""
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(LIST))
    return path


def run(*words: object, code: int = 0) -> Result:
    """Run the command."""
    result = CliRunner().invoke(import_command, list(map(str, words)))
    assert result.exit_code == code, result.output
    return result


def wheel(path: Path, members: dict[str, str]) -> Path:
    """Write a zip."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_a_file_becomes_drafts_to_review(prices: Path, tmp_path: Path) -> None:
    """One file a provider; the version and the instant are those asked for; the rest is told."""
    output = tmp_path / "drafts"
    when = ("--effective-from", "2026-11-20", "--output", output)
    done = run("litellm", prices, "--provider", "all", *when, "--json")
    files = [output / "openai/2026-11-20.yaml", output / "mistral/2026-11-20.yaml"]
    left_out = [
        ("input_cost_per_token", "0 may mean free or unknown; write the price in if it is known"),
        ("model", "has no price that a table can hold"),
    ]
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["files"] == [str(file) for file in files]
    assert document["models"] == 2
    assert [
        (entry["provider"], entry["model"], entry["field"]) for entry in document["left_out"]
    ] == [("mistral", "free", field) for field, _ in left_out]
    for entry, (_, reason) in zip(document["left_out"], left_out, strict=True):
        assert entry["reason"].startswith(reason)
    table = load_rate_table(files[0].read_text(), "draft")
    assert (table.version, table.effective_from.isoformat()) == (
        "2026-11-20",
        "2026-11-20T00:00:00+00:00",
    )
    assert table.source.startswith("Imported from litellm: prices.json, read 20")
    assert '  gpt-x: {input: "0.15", output: "0.60"}\n' in files[0].read_text()


def test_people_are_told_the_same(prices: Path, tmp_path: Path) -> None:
    """The files, the number of models, and a table of what was left out."""
    done = run("litellm", prices, "--provider", "mistral", "--output", tmp_path, "--version", "v1")
    assert str(tmp_path / "mistral/v1.yaml") in done.stdout
    assert "Drafts: 1; models: 1." in done.stdout
    assert "Left out" in done.stdout
    done = run("litellm", prices, "--provider", "openai", "--output", tmp_path, "--version", "v1")
    assert "Left out" not in done.stdout


def test_drafts_can_be_piped(prices: Path) -> None:
    """With - nothing but YAML is on stdout."""
    done = run("litellm", prices, "--provider", "mistral", "--output", "-")
    assert list(load_rate_table(done.stdout, "stdout").models) == ["small"]
    assert "left out: mistral free input_cost_per_token: 0 may mean" in done.stderr


def test_other_content_is_not_overwritten(prices: Path, tmp_path: Path) -> None:
    """The same again is no fault; a reviewed file is safe, and so are its neighbours."""
    words = ("litellm", prices, "--provider", "all", "--output", tmp_path, "--version", "v1")
    run(*words)
    run(*words)
    reviewed = tmp_path / "openai/v1.yaml"
    reviewed.write_text("reviewed")
    (tmp_path / "mistral/v1.yaml").unlink()
    done = run(*words, code=2)
    assert f"{reviewed} is there already and says something else" in done.stderr
    assert reviewed.read_text() == "reviewed"
    assert not (tmp_path / "mistral/v1.yaml").exists()
    run(*words, "--force")
    assert reviewed.read_text().startswith("provider: openai\n")


def test_a_wheel_is_read_without_being_installed(tmp_path: Path) -> None:
    """For the prices of the day that is asked for; the source names the version."""
    path = wheel(
        tmp_path / "genai_prices-0.2.3-py3-none-any.whl",
        {"genai_prices/data.py": DATA, "genai_prices-0.2.3.dist-info/METADATA": ""},
    )
    words = ("genai-prices", path, "--provider", "acme", "--output", "-", "--effective-from")
    assert '  m: {input: "2.00"}' in run(*words, "2026-03-13").stdout
    before = run(*words, "2026-03-12")
    assert '  m: {input: "1.00"}' in before.stdout
    assert "genai-prices 0.2.3 (genai_prices-0.2.3-py3-none-any.whl)" in " ".join(
        before.stdout.split()
    )
    assert "others count from 2026-03-13" in before.stderr


def test_an_installed_package_is_read_without_being_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its `__init__` nor its data."""
    folder = tmp_path / "genai_prices"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise SystemExit('imported')")
    (folder / "data.py").write_text(DATA)
    monkeypatch.syspath_prepend(tmp_path)
    done = run("genai-prices", "genai-prices", "--provider", "acme", "--output", "-")
    assert '  m: {input: "2.00"}' in done.stdout
    assert "genai-prices of unknown version, data.py" in " ".join(done.stdout.split())
    assert "genai_prices" not in sys.modules
    (folder / "data.py").unlink()
    done = run("genai-prices", "genai-prices", "--provider", "acme", code=2)
    assert "has no file data.py" in done.stderr


def test_the_version_of_an_installed_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what it was installed as."""
    for name, text in (
        ("genai_prices/data.py", DATA),
        ("genai_prices-0.2.3.dist-info/METADATA", "Name: genai-prices\nVersion: 0.2.3\n"),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    assert read_price_list("genai-prices", "genai-prices").origin == "genai-prices 0.2.3, data.py"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("litellm", "nothing-here.json"), "nothing-here.json: no such file"),
        (("litellm", "nothing_here"), "neither a file nor an installed package"),
        (("models.dev", "msgspec"), "msgspec: no such file"),
        (("models.dev", "{list}"), "expected an object of providers, each with its models"),
        (("genai-prices", "{list}"), "expected a list of providers with models"),
        (("lava-services", "{list}"), "a list of services"),
        (("litellm", "{broken}"), "not readable as JSON"),
        (("litellm", "{bytes}"), "is not UTF-8 text"),
        (("litellm", "{wheel}"), "holds no litellm/model_prices_and_context_window_backup.json"),
        (("lava-services", "{wheel}"), "is an archive; lava-services is read from a JSON file"),
        (("litellm", "{list}", "--provider", "nobody"), "has no provider nobody; there are"),
        (("litellm", "{list}", "--version", "../v1"), "a word that a file can be named for"),
        (("litellm", "{list}", "--version", ".v1"), "a word that a file can be named for"),
        (("litellm", "{list}", "--json", "--output", "-"), "would both write to stdout"),
        (("elsewhere", "{list}"), "'elsewhere' is not one of"),
    ],
)
def test_what_cannot_be_imported_is_said(
    prices: Path, tmp_path: Path, words: tuple[str, ...], problem: str
) -> None:
    """Exit 2 and words, and no file is written."""
    (tmp_path / "broken").write_text("{")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    places = {
        "list": prices,
        "broken": tmp_path / "broken",
        "bytes": tmp_path / "bytes",
        "wheel": wheel(tmp_path / "some.whl", {"other": ""}),
    }
    provider = () if "--provider" in words else ("--provider", "all")
    output = tmp_path / "drafts"
    folder = () if "--output" in words else ("--output", output)
    done = run(*(word.format(**places) for word in words), *provider, *folder, code=2)
    assert problem in done.stderr
    assert not output.exists()


def test_a_version_that_no_table_could_have_is_refused(prices: Path, tmp_path: Path) -> None:
    """A draft is loaded before it is written."""
    words = ("litellm", prices, "--provider", "openai", "--output", tmp_path, "--version", "a b")
    assert "version: 'a b' is not" in run(*words, code=1).stderr


def test_a_draft_that_does_not_load_stops_no_other(
    prices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told as left out, and neither written nor counted."""

    def spoiled(provider: str, head: DraftHead, table: DraftTable) -> str:
        text = draft_text(provider, head, table)
        return text.replace("models:", "modles:") if provider == "openai" else text

    monkeypatch.setattr(rate_imports, "draft_text", spoiled)
    words = ("litellm", prices, "--output", tmp_path, "--version", "v1", "--provider")
    document = json.loads(run(*words, "all", "--json").stdout)
    assert document["files"] == [str(tmp_path / "mistral/v1.yaml")]
    assert document["models"] == 1
    told = document["left_out"][-1]
    assert (told["provider"], told["model"], told["field"]) == ("openai", "*", "draft")
    assert told["reason"].startswith("does not load: the draft for openai:")
    assert not (tmp_path / "openai").exists()
    assert "the draft for openai" in run(*words, "openai", code=1).stderr


def test_a_model_of_no_characters_is_told(tmp_path: Path) -> None:
    """Half a character cannot be written anywhere; its name is escaped, and the others stay."""
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({**LIST, "\ud800": LIST["gpt-x"]}))
    for words in (("--output", "-"), ("--output", tmp_path), ("--output", tmp_path, "--json")):
        done = run("litellm", path, "--provider", "openai", *words)
        assert "is no id that a record could state" in " ".join(done.output.split())
        assert "ud800" in done.output


def test_a_draft_of_genai_prices_says_what_its_prices_do_not_show(tmp_path: Path) -> None:
    """That some are those of the whole, because the source bills the part so."""
    path = tmp_path / "data.py"
    path.write_text(DATA)
    text = run("genai-prices", path, "--provider", "acme", "--output", "-").stdout
    assert text.startswith("# Where the source has no price of their own")
    assert list(load_rate_table(text, "stdout").models) == ["m"]


def test_more_than_the_bound_is_not_read(
    prices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither of a file nor of what an archive holds, however small that is packed."""
    packed = wheel(
        tmp_path / "packed.whl",
        {"litellm/model_prices_and_context_window_backup.json": " " * 1_000},
    )
    monkeypatch.setattr(price_lists, "BYTES_MAX", 100)
    for path in (prices, packed):
        with pytest.raises(SourceError, match="has more than 100 bytes"):
            read_price_list("litellm", str(path))


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=str
)
@pytest.mark.parametrize("place", range(0, 40, 4))
def test_a_damaged_member_is_said(tmp_path: Path, method: int, place: int) -> None:
    """However it is packed, and wherever the damage is."""
    name = "genai_prices/data.py"
    path = tmp_path / "w.whl"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(name, "\n".join(f"x = {number}" for number in range(200)))
    content = bytearray(path.read_bytes())
    start = content.index(name.encode()) + len(name) + place
    content[start : start + 4] = bytes(255 - each for each in content[start : start + 4])
    path.write_bytes(content)
    with pytest.raises(SourceError, match="is no archive that can be read"):
        read_price_list("genai-prices", str(path))


def test_a_damaged_archive_is_said(tmp_path: Path) -> None:
    """Its directory is whole, and what it leads to is not."""
    path = wheel(tmp_path / "w.whl", {"genai_prices/data.py": "x = 1"})
    content = path.read_bytes()
    path.write_bytes(content.replace(b"x = 1", b"y = 2", 1))
    with pytest.raises(SourceError, match="is no archive that can be read"):
        read_price_list("genai-prices", str(path))
