"""Elements passed by reference within one process, and work side by side."""

import pyarrow as pa
import pytest

from transforms.coders import LedgerInputCoder, RecordBatchCoder
from transforms.core.ledger.decisions import input_of_events
from transforms.passing import as_token, from_token, let_go, passing_by_reference
from transforms.side_by_side import side_by_side

BATCH = pa.record_batch({"a": [1, 2]})


def test_an_element_is_passed_itself_and_may_be_read_twice_until_the_block_is_over() -> None:
    given = input_of_events(BATCH, None)
    with passing_by_reference():
        with passing_by_reference():
            batch, entry = RecordBatchCoder().encode(BATCH), LedgerInputCoder().encode(given)
        for _ in range(2):
            assert RecordBatchCoder().decode(batch) is BATCH
            assert LedgerInputCoder().decode(entry) is given
        assert batch != RecordBatchCoder().encode(BATCH)
    with pytest.raises(KeyError):
        RecordBatchCoder().decode(batch)


def test_what_is_let_go_is_held_no_longer_nor_what_it_is_part_of() -> None:
    other = pa.record_batch({"a": [3]})
    with passing_by_reference():
        tokens = [RecordBatchCoder().encode(BATCH), LedgerInputCoder().encode(input_of_events(BATCH, None))]
        kept = RecordBatchCoder().encode(other)
        let_go([BATCH])
        for token in tokens:
            with pytest.raises(KeyError):
                from_token(token)
        assert from_token(kept) is other


def test_outside_of_a_block_and_of_bytes_from_elsewhere_there_are_no_tokens() -> None:
    assert as_token(BATCH) is None
    encoded = RecordBatchCoder().encode(BATCH)
    with passing_by_reference():
        assert from_token(encoded) is None
        assert RecordBatchCoder().decode(encoded).equals(BATCH)


def test_work_that_fails_fails_where_its_result_is_due() -> None:
    results = side_by_side(lambda number: 6 // number, [3, 2, 0, 1], 2)
    assert [next(results), next(results)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)
