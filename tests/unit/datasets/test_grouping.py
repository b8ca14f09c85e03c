import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.datasets._grouping import group_rows, hold_out
from harness.errors import DataError
from harness.ranking_data import RankingData


@given(st.lists(st.integers(-3, 3), max_size=40))
def test_rows_of_a_query_come_together_in_the_order_of_the_file(queries):
    order, sizes = group_rows(np.array(queries, dtype=np.int64))
    first_seen = list(dict.fromkeys(queries))
    assert order.tolist() == [row for query in first_seen for row, q in enumerate(queries) if q == query]
    assert sizes.tolist() == [queries.count(query) for query in first_seen]


def numbered(n_groups: int) -> RankingData:
    sizes = np.arange(1, n_groups + 1)
    features = np.repeat(np.arange(n_groups), sizes)[:, None].astype(np.float32)
    return RankingData("train", features, np.ones(sizes.sum(), np.int32), sizes, ("group",))


@pytest.mark.parametrize(("share", "n_held"), [(0.2, 2), (0.001, 1), (0.999, 9)])
def test_whole_groups_are_held_out_and_none_is_lost(share, n_held):
    data = numbered(10)
    train, valid = hold_out(data, share, seed=3)
    assert (train.name, valid.name, valid.n_groups) == ("train", "valid", n_held)
    groups = [set(split.features[:, 0]) for split in (train, valid)]
    assert not groups[0] & groups[1]
    assert train.n_rows + valid.n_rows == data.n_rows
    assert (np.diff(train.features[:, 0]) >= 0).all()


def test_the_seed_chooses_the_held_out_groups():
    data = numbered(50)
    first, again, other = (hold_out(data, 0.2, seed)[1].digest for seed in (1, 1, 2))
    assert first == again != other


def test_one_group_can_not_be_split():
    with pytest.raises(DataError, match=r"(?s)single query group.*data\.valid"):
        hold_out(numbered(1), 0.5, 1)
