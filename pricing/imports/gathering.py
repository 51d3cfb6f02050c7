"""One provider's draft while it is being gathered."""

from collections.abc import Iterable, Mapping

from pricing.files.stated_names import MODEL_LENGTH_MAX, PATTERNS_MAX
from pricing.imports.assembly import MODEL
from pricing.imports.drafts import DraftModel, DraftTable, Imported, LeftOut, SourceError, Wanted

_SHOWN_MAX = 40


class Gathering:
    """The models, aliases and patterns of one provider, and what was left out."""

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.models: dict[str, DraftModel] = {}
        self.left_out: list[LeftOut] = []
        self._noted: set[LeftOut] = set()
        self._aliases: dict[str, str] = {}
        self._fallback: dict[str, str] = {}
        self._in_conflict: set[str] = set()

    def leave_out(self, model: str, field: str, reason: str) -> None:
        """Note what does not get into the draft, in words that can be shown whatever they hold."""
        entry = LeftOut(self.provider, *map(_shown, (model, field, reason)))
        if entry not in self._noted:
            self._noted.add(entry)
            self.left_out.append(entry)

    def add(self, model: str, draft: DraftModel) -> bool:
        """List a model, unless no record could state its id or it is listed with other prices.

        Of two listings that differ neither stays: nothing says which is right.
        """
        if not 1 <= len(model) <= MODEL_LENGTH_MAX or not model.isprintable():
            self.leave_out(model[:MODEL_LENGTH_MAX], MODEL, "is no id that a record could state")
        elif model in self._in_conflict or self.models.get(model, draft) != draft:
            self._in_conflict.add(model)
            self.models.pop(model, None)
            self.leave_out(model, MODEL, "is listed twice with different prices")
        else:
            self.models[model] = draft
            return True
        return False

    def add_alias(self, alias: str, model: str) -> None:
        """Let an id bill as a model; the first claim holds."""
        if 1 <= len(alias) <= MODEL_LENGTH_MAX and alias.isprintable():
            self._aliases.setdefault(alias, model)

    def add_pattern(self, pattern: str, model: str) -> None:
        """Let ids of a pattern bill as a model; the first claim holds."""
        if len(pattern) <= MODEL_LENGTH_MAX and pattern.isprintable():
            self._fallback.setdefault(pattern, model)

    def table(self) -> DraftTable:
        """Give the draft; a name that is a model's own is not also another's alias."""
        fallback = {name: to for name, to in self._fallback.items() if to in self.models}
        for pattern in list(fallback)[PATTERNS_MAX:]:
            self.leave_out(pattern, "match", f"a table has at most {PATTERNS_MAX} patterns")
            del fallback[pattern]
        aliases = {
            name: to
            for name, to in self._aliases.items()
            if name not in self.models and to in self.models
        }
        return DraftTable(dict(self.models), aliases, fallback)


def _shown(text: str) -> str:
    """Escape what no terminal should get, and what is no character at all."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def imported(gatherings: Mapping[str, Gathering]) -> Imported:
    """Give what was gathered; a provider without a single model has no draft."""
    left_out = tuple(entry for each in gatherings.values() for entry in each.left_out)
    tables = {name: each.table() for name, each in gatherings.items() if each.models}
    return Imported(tables, left_out)


def require_providers(wanted: Wanted, offered: Iterable[tuple[str, ...]]) -> None:
    """Check that every provider that is wanted is there, by one of its names.

    Raises:
        SourceError: One is not.
    """
    offered = list(offered)
    known = {name for names in offered for name in names}
    missing = sorted((wanted.providers or frozenset()) - known)
    if missing:
        names = sorted({names[-1] for names in offered})
        shown = ", ".join(names[:_SHOWN_MAX]) + (", ..." if len(names) > _SHOWN_MAX else "")
        raise SourceError(f"has no provider {', '.join(missing)}; there are {shown}")
