"""The array parser against a line-by-line reading of the same text."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.datasets.letor.faults import first_fault
from harness.datasets.letor.lines import Rules, parse

RULES = Rules(first_index=1, n_features=None)
values = st.one_of(
    st.floats(width=32, allow_nan=False).map(repr),
    st.integers(-(10**9), 10**9).map(str),
    st.sampled_from(["nan", "NaN", "NULL", "null", "-0", "1e-50", "1E5", "+3", "inf", "-inf"]),
)
rows = st.tuples(
    st.integers(0, 30),
    st.integers(0, 2**53 - 1),
    st.lists(st.tuples(st.integers(1, 50), values), max_size=8, unique_by=lambda pair: pair[0]),
    st.sampled_from(["", " ", " # x:1 2:3", "\t"]),
)


@given(st.lists(rows, max_size=12))
def test_every_well_formed_line_is_read(lines):
    text = "".join(
        f"{grade} qid:{query} {' '.join(f'{i}:{v}' for i, v in pairs)}{tail}\n" for grade, query, pairs, tail in lines
    )
    block = parse(text.encode(), RULES)
    assert block is not None
    assert block.grades.tolist() == [grade for grade, *_ in lines]
    assert block.queries.tolist() == [query for _, query, *_ in lines]
    expected = [(row, i - 1, v) for row, (_, _, pairs, _) in enumerate(lines) for i, v in pairs]
    assert list(zip(block.rows, block.columns, strict=True)) == [(row, column) for row, column, _ in expected]
    wanted = np.array([math.nan if v.lower() in ("null", "inf", "-inf") else float(v) for _, _, v in expected])
    np.testing.assert_allclose(block.values, wanted.astype(np.float32), rtol=1e-7)


@settings(max_examples=300)
@given(st.lists(st.text("0123456789:. #qidnae-", max_size=14), min_size=1, max_size=3))
def test_both_readings_agree_on_what_is_bad(lines):
    text = ("\n".join(f"1 qid:1 {line}" for line in lines) + "\n").encode()
    fault = first_fault(text, 1, "file", RULES).what
    if parse(text, RULES) is not None:
        assert fault.startswith("a line that is not")  # the catch-all: no line is at fault
