"""What benches send: repeatable, distinct, in order, and priced."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.bench.records import Mix, cut, priced_models, record_lines
from ledger.core.reading import read_statement
from ledger.core.request_ids import time_of
from ledger.core.statements import Statement

START = datetime(2026, 6, 1, tzinfo=UTC)


def statements(count: int, mix: Mix) -> list[Statement]:
    read = [read_statement(line, START) for line in record_lines(count, START, mix)]
    return [each for each in read if isinstance(each, Statement)]


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Two runs can be compared; another seed is another run."""
    assert list(record_lines(50, START, Mix())) == list(record_lines(50, START, Mix()))
    assert list(record_lines(50, START, Mix())) != list(record_lines(50, START, Mix(seed=1)))


def test_every_record_is_accepted_and_distinct() -> None:
    """Canonical ids, one a millisecond: no record is refused, none repeats another."""
    read = statements(2000, Mix())
    assert len({each.key.bits for each in read}) == 2000
    assert [each.key.bits for each in read] == sorted(each.key.bits for each in read)
    assert time_of(read[-1].key) == read[-1].occurred_at == START + timedelta(milliseconds=1999)


def test_a_mix_is_used_up() -> None:
    """Every customer and model of the mix comes up, and no other."""
    read = statements(2000, Mix(customers=7, models=20))
    assert len({each.customer_id for each in read}) == 7
    assert {each.model for each in read} == set(priced_models())


def test_more_models_than_are_priced_are_refused() -> None:
    with pytest.raises(ValueError, match="there are 20 models, not 21"):
        next(record_lines(1, START, Mix(models=21)))


def test_batches_keep_every_line_in_order() -> None:
    assert list(cut([b"a", b"b", b"c"], 2)) == [[b"a", b"b"], [b"c"]]
