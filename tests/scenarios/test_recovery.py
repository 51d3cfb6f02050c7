"""docs/backup.md, done: what was acknowledged is there after a recovery, and answers are what they were.

       base backup          kill -9          target            DROP TABLE
records ──┬────────────────────┬───────────────┬──────────────────┬
          └───── with the log ─▶ all            │                  │
          └───── with the archive ─────────────▶ all before, none after
"""

from tests.recovery.page import untried
from tests.recovery.rehearsal import rehearse
from tests.servers import memory_folder


async def test_a_ledger_is_recovered_by_the_commands_of_the_page() -> None:
    """A killed server to its last acknowledged record, one that was damaged to a moment before."""
    rehearsal = await rehearse(500, memory_folder())

    assert rehearsal.acknowledged_during_base_backup > 0
    assert rehearsal.acknowledged_before_kill > rehearsal.killed_missing_without_last_log
    assert rehearsal.killed_missing == 0
    assert rehearsal.acknowledged_before_target > rehearsal.acknowledged_before_kill
    assert rehearsal.missing_before_target == 0
    assert rehearsal.accepted_after_target == rehearsal.sent_after_target > 0
    assert rehearsal.invoices_issued_alike_again == rehearsal.invoices_after_target > 0
    # The page's way to check a copy needs a program that does not start everywhere.
    assert untried() <= {"Trying it", "Checking it"}
