"""What a soak measured: counts, and how long nobody answered after a kill."""

import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from math import inf
from typing import Any


@dataclass
class Figures:
    """Counts of everything that happened; times in seconds."""

    is_told: bool = False  # on stderr, while it happens
    begun_s: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    kills: Counter[str] = field(default_factory=Counter)  # by what was done to whom
    restarts: Counter[str] = field(default_factory=Counter)
    failed_starts: int = 0  # of a server, while PostgreSQL was away
    answers: Counter[str] = field(default_factory=Counter)  # of HTTP, by status; "none": no answer
    records: Counter[str] = field(default_factory=Counter)  # sendings, by answer
    commands: Counter[str] = field(default_factory=Counter)  # by name and end
    done: Counter[str] = field(default_factory=Counter)  # decisions and the like, by kind
    away_s: dict[str, list[float]] = field(default_factory=dict)  # from a kill to the next answer
    judged: dict[str, Any] = field(default_factory=dict)  # what the ledger held in the end

    def tell(self, text: str) -> None:
        """Say on stderr what happens, and when."""
        if self.is_told:
            print(f"{time.monotonic() - self.begun_s:7.1f} s  {text}", file=sys.stderr)  # noqa: T201

    def document(self) -> dict[str, Any]:
        """All of it for people and for JSON."""
        return {
            "seconds": round(self.seconds, 1),
            "kills": sum(self.kills.values()),
            "kills_by_kind": dict(sorted(self.kills.items())),
            "restarts": dict(sorted(self.restarts.items())),
            "starts_without_database": self.failed_starts,
            "http_answers": dict(sorted(self.answers.items())),
            "records_by_answer": {str(name): n for name, n in sorted(self.records.items())},
            "commands": dict(sorted(self.commands.items())),
            "decisions": dict(sorted(self.done.items())),
            "answers_again_s": self._away(),
            **self.judged,
        }

    def _away(self) -> dict[str, Any]:
        """The half of the times and the longest: of all kills, and of each kind."""
        every = [time_s for times in self.away_s.values() for time_s in times]
        kinds = {"all": every, **self.away_s} if every else {}
        return {kind: _spread(times) for kind, times in sorted(kinds.items())}


def _spread(times_s: list[float]) -> dict[str, Any]:
    p50_s, max_s = statistics.median(times_s), max(times_s)
    return {"count": len(times_s), "p50": round(p50_s, 2), "max": round(max_s, 2)}


class Recovery:
    """Who is away since when; ends with the first record that was sent after and answered."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._away: dict[str, tuple[str, float]] = {}  # by server: what was done, and when

    def killed(self, kind: str, *names: str) -> None:
        """Servers cannot answer from now on; who could not before is away since then."""
        for name in names:
            self._away.setdefault(name, (kind, time.monotonic()))

    def answered(self, name: str, sent_s: float) -> None:
        """A server answered what was sent at a time."""
        kind, since_s = self._away.get(name, ("", inf))
        if sent_s > since_s:
            self._figures.away_s.setdefault(kind, []).append(time.monotonic() - since_s)
            self._figures.tell(f"{name} has recorded something again")
            del self._away[name]

    @property
    def away(self) -> int:
        """How many have not answered since they were killed."""
        return len(self._away)

    def longest_s(self) -> float:
        """For how long somebody has not answered now."""
        return max((time.monotonic() - s for _, s in self._away.values()), default=0.0)
