"""A batch as a span, linked to the requests whose records it commits.

It is not a part of one of them: a batch has records of many requests, and a request may have several batches.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from ledger.services.intake.outcomes import Outcome, Verdict
from ledger.traces.spans import recorder, span

if TYPE_CHECKING:
    from ledger.services.intake.lane_holder import Submission


async def traced_batch(
    submissions: Sequence["Submission"],
    commit: Callable[[Sequence["Submission"]], Awaitable[list[Outcome]]],
) -> list[Outcome]:
    """Commit submissions; the span counts records, what became of them, and attempts."""
    if recorder() is None:
        return await commit(submissions)
    with span("intake batch", links=(each.sent_in for each in submissions)) as batch:
        outcomes = await commit(submissions)
        if batch is not None:
            verdicts = Counter(each.verdict for each in outcomes)
            batch.set_attribute("ledger.records", len(outcomes))
            for verdict in Verdict:
                batch.set_attribute(f"ledger.{verdict}", verdicts[verdict])
        return outcomes
