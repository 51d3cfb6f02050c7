"""`ledger rates import`."""

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import click

from ledger.cli.price_lists import PriceList, read_price_list
from ledger.cli.running import (
    DONE,
    Instant,
    command,
    json_option,
    print_json,
    print_table,
    remark,
    say,
)
from ledger.clock import SystemClock
from ledger.core.errors import BadRequest
from pricing import RateFileError, load_rate_table
from pricing.imports import (
    IMPORTERS,
    DraftHead,
    Imported,
    LeftOut,
    SourceError,
    Wanted,
    draft_text,
    import_rates,
)

ALL = "all"
STDOUT = "-"
# What a reviewer cannot see from the prices of a draft.
_COMMENTS = {
    "genai-prices": (
        "Where the source has no price of their own for tokens that usage tells apart, it bills them as",
        "what they are a part of. For the kinds that their usage states, that stands here in words:",
        "OpenAI's cache writes as input; Gemini's audio input as input, cached audio as cached input, and",
        "the audio that speech models put out as output. Strike out what a model does not take or make,",
        "and compare it: if the provider charges another price, these are wrong, and not just unrated.",
    )
}
LEFT_OUT_COLUMNS = {
    "provider": "provider",
    "model": "model",
    "field": "field",
    "reason": "reason",
}


def _check_version(
    _context: click.Context, _parameter: click.Parameter, version: str | None
) -> str | None:
    """Refuse a version that is no name of a file."""
    if version is not None and (version.startswith(".") or set(version) & set("/\\\0")):
        raise click.BadParameter("must be a word that a file can be named for")
    return version


@click.command("import")
@click.argument("source", type=click.Choice(tuple(IMPORTERS)))
@click.argument("file")
@click.option("--provider", "providers", multiple=True, required=True, help="Whose prices; or all.")
@click.option("--effective-from", type=Instant(), help="From when the prices count; today.")
@click.option(
    "--version", callback=_check_version, help="The name of the version; the date it counts from."
)
@click.option("--output", default=".", help="The folder for drafts, - for stdout.")
@click.option("--force", is_flag=True, help="Overwrite files that say something else.")
@json_option
@command
async def import_command(
    source: str,
    file: str,
    *,
    providers: tuple[str, ...],
    effective_from: datetime | None,
    version: str | None,
    output: str,
    force: bool,
    as_json: bool,
) -> int:
    """Write drafts of rate tables from the price list of a source, for review. Needs no database.

    FILE is a file, a wheel, or the name of an installed package. Whatever could not be represented
    is told, and left out so that its usage is unrated and not priced wrongly.

    Example: ledger rates import litellm prices.json --provider openai --output drafts
    """
    if as_json and output == STDOUT:
        raise click.UsageError("--json and --output - would both write to stdout")
    today = SystemClock().now().date()
    counts_from = effective_from or datetime.combine(today, time(), UTC)
    wanted = Wanted(None if ALL in providers else frozenset(providers), counts_from.date())
    try:
        price_list = read_price_list(source, file)
        imported = import_rates(source, price_list.text, wanted)
    except SourceError as error:
        raise BadRequest(f"{file} is no price list of {source}: {error}") from error
    head = DraftHead(
        version=version or counts_from.date().isoformat(),
        effective_from=counts_from,
        source=_source(source, price_list, today.isoformat()),
        comments=_COMMENTS.get(source, ()),
    )
    texts, imported = _texts(imported, head)
    if output == STDOUT:
        _show(texts, imported)
        return DONE
    files = {Path(output) / name / f"{head.version}.yaml": text for name, text in texts.items()}
    return _write(files, imported, force=force, as_json=as_json)


def _texts(imported: Imported, head: DraftHead) -> tuple[dict[str, str], Imported]:
    """Write out the drafts that load, by provider; any other is left out, and does not stop these.

    Raises:
        RateFileError: None of them loads.
    """
    texts: dict[str, str] = {}
    faults: dict[str, RateFileError] = {}
    for name, table in imported.tables.items():
        text = draft_text(name, head, table)
        try:
            load_rate_table(text, f"the draft for {name}", currency=head.currency)
        except RateFileError as error:
            faults[name] = error
        else:
            texts[name] = text
    if faults and not texts:
        raise next(iter(faults.values()))
    left_out = [
        LeftOut(name, "*", "draft", f"does not load: {error.problems[0]}")
        for name, error in faults.items()
    ]
    tables = {name: imported.tables[name] for name in texts}
    return texts, Imported(tables, (*imported.left_out, *left_out))


def _source(source: str, price_list: PriceList, read_on: str) -> str:
    """What stands in a draft on where its prices come from."""
    return (
        f"Imported from {source}: {price_list.origin}, read {read_on}. Earlier usage has no price here. "
        "Ids are those that the list names; of ids that only begin like one those with a date behind it. "
        "Reviewed by nobody yet: say here who did, and what was changed."
    )


def _write(texts: dict[Path, str], imported: Imported, *, force: bool, as_json: bool) -> int:
    """Write the drafts, all or none of them, and tell what was done."""
    others = [
        file for file, text in texts.items() if not force and _says_something_else(file, text)
    ]
    if others:
        raise BadRequest(
            "\n".join(
                f"{file} is there already and says something else; --force overwrites it"
                for file in others
            )
        )
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    models = _models_of(imported)
    if as_json:
        files = [str(file) for file in texts]
        print_json({"files": files, "models": models, "left_out": _left_out(imported)})
        return DONE
    for file in texts:
        say(str(file))
    say(f"Drafts: {len(texts)}; models: {models}. Review them, then: ledger rates publish FILE")
    if imported.left_out:
        print_table("Left out", LEFT_OUT_COLUMNS, _left_out(imported))
    return DONE


def _show(texts: dict[str, str], imported: Imported) -> None:
    """The drafts on stdout, so that they can be piped; what was left out on stderr."""
    say("---\n".join(texts.values()).rstrip("\n"))
    for entry in imported.left_out:
        remark(f"left out: {entry.provider} {entry.model} {entry.field}: {entry.reason}")


def _says_something_else(file: Path, text: str) -> bool:
    return file.exists() and file.read_text(encoding="utf-8", errors="replace") != text


def _models_of(imported: Imported) -> int:
    return sum(len(table.models) for table in imported.tables.values())


def _left_out(imported: Imported) -> list[dict[str, Any]]:
    return [
        {
            "provider": entry.provider,
            "model": entry.model,
            "field": entry.field,
            "reason": entry.reason,
        }
        for entry in imported.left_out
    ]
