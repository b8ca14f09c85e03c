from itertools import islice

import numpy as np
import pytest

from harness.bench.rows import TIMES_CACHE, l2_bytes, lists_of, made_up_rows, n_rows_for, rotated
from harness.trees import artefacts


def test_rows_outgrow_the_second_level_cache_and_are_those_of_the_data(splits):
    x = splits.test.features
    rows = rotated(x, longest=50)
    assert rows.nbytes >= TIMES_CACHE * l2_bytes() >= 3 * (128 << 10)
    assert {row.tobytes() for row in rows} == {row.tobytes() for row in x}


def test_lists_rotate_over_all_rows_before_any_comes_again():
    rows = np.arange(20, dtype=np.float32).reshape(10, 2)
    lists = [part[:, 0].tolist() for part in islice(lists_of(rows, 3), 6)]
    assert lists[:3] == [[0, 2, 4], [6, 8, 10], [12, 14, 16]]
    assert lists[3] != lists[0], "the next time round lists are cut elsewhere"
    assert all(part.flags.c_contiguous for part in islice(lists_of(rows, 3), 6))


def test_one_list_may_be_as_long_as_all_rows():
    rows = np.zeros((4, 2), dtype=np.float32)
    assert [part.shape for part in islice(lists_of(rows, 4), 3)] == [(4, 2)] * 3


@pytest.mark.parametrize("kind", ["lightgbm", "xgboost"])
def test_made_up_rows_fall_on_both_sides_of_every_threshold_and_miss_some_values(teacher, kind):
    bundle = teacher(kind)
    x = made_up_rows(bundle, longest=100)
    assert x.shape == (n_rows_for(100, bundle.manifest.n_features), bundle.manifest.n_features)
    assert 0.02 < np.isnan(x).mean() < 0.1
    for tree in artefacts.load(bundle).trees:
        for feature, threshold in zip(tree.feature[~tree.is_leaf], tree.threshold[~tree.is_leaf], strict=True):
            values = x[:, feature][~np.isnan(x[:, feature])]
            assert (values < threshold).any()
            assert (values > threshold).any()


def test_a_network_gets_rows_without_thresholds(teacher):
    assert np.isnan(made_up_rows(teacher("mlp"), longest=10)).any()
