"""What a batch leaves in the metrics, once it has committed."""

from collections import Counter
from collections.abc import Sequence

from ledger.clock import stopwatch_s
from ledger.metrics.intake import IntakeMetrics
from ledger.services.intake.outcomes import Outcome, Verdict
from ledger.services.posting import Posted


class Laps:
    """Seconds by stage, one after the other from now on."""

    def __init__(self) -> None:
        self.stage_s: dict[str, float] = {}
        self._since_s = stopwatch_s()

    def end(self, stage: str) -> None:
        """A stage ends here, and the next begins."""
        now_s = stopwatch_s()
        self.stage_s[stage] = now_s - self._since_s
        self._since_s = now_s


def count_committed(
    metrics: IntakeMetrics,
    outcomes: Sequence[Outcome],
    posted: Posted | None,
    laps: Laps,
    *,
    is_probed: bool,
) -> None:
    """Count a batch. Records are looked at one by one only where some were not accepted."""
    accepted = 0 if posted is None else posted.events
    counts: dict[str, int] = {Verdict.ACCEPTED: accepted}
    if accepted < len(outcomes):
        counts = dict(Counter(outcome.verdict for outcome in outcomes))
    metrics.committed(counts, laps.stage_s, is_probed=is_probed)
    if posted is None:
        return
    metrics.last_batch_at = posted.lane.last_recorded_at
    metrics.unrated.count(by=posted.unrated)
    metrics.unmetered.count(by=posted.events - posted.requests)
    for decision in posted.alerts:
        metrics.alerts.count(decision.kind)
