"""bitblend against the libraries themselves: the same leaf in every tree of trained ensembles, on awkward values."""

import lightgbm
import numpy as np
import pytest
import treelite
import xgboost
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.engines.bitblend.library import KERNEL, obtain
from harness.engines.bitblend.program import program_of
from harness.engines.bitblend.scorer import BlendScorer
from harness.trees.forest import Forest
from harness.trees.formats.treelite_model import from_treelite

ZERO = np.float32(1e-35)
AWKWARD = np.array(
    [np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-45, 3e-39, ZERO, -ZERO, np.nextafter(ZERO, np.float32(1)),
     -np.nextafter(ZERO, np.float32(1)), 3.4e38, -3.4e38, 1.0, -1.0, 2.0, 3.0],
    dtype=np.float32,
)  # fmt: skip
CATEGORIES = {
    "few": np.arange(4),
    "some": np.arange(60),
    "many": np.arange(900),
    "large": np.array([0, 1, 31, 32, 255, 256, 257, 4095, 65_535, 65_536, 70_000]),
}
WIDE = [1e300, -1e300, 1 + 1e-12, 2 - 1e-12, 5e-324, -5e-324, 1e-35, -1e-35, 1 + 2**-24]
EXAMPLES = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def kernels(engine_cache):
    return {name: obtain(name, engine_cache) for name in KERNEL.supported()}


@st.composite
def tables(draw, finite):
    """x (n, d), y (n,), rng, categorical columns: several kinds, so that thresholds fall between neighbours, on zero,
    beside NaN."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, d = draw(st.integers(60, 1500)), draw(st.integers(1, 12))
    kinds = draw(
        st.lists(
            st.sampled_from(["normal", "skewed", "counts", "adjacent", "awkward", "zeros", *CATEGORIES]),
            min_size=d,
            max_size=d,
        )
    )
    x = np.empty((n, d), dtype=np.float32)
    for column, kind in enumerate(kinds):
        x[:, column] = {
            "normal": lambda: rng.normal(size=n),
            "skewed": lambda: np.exp(6 * rng.normal(size=n)),
            "counts": lambda: rng.poisson(3, n),
            "adjacent": lambda: np.float32(1) + rng.integers(0, 40, n) * np.float32(2**-23),
            "awkward": lambda: rng.choice(AWKWARD, n),
            "zeros": lambda: rng.choice(np.float32([0, -0.0, 1e-40, -1e-40, 2e-35, -2e-35, 1e-30, -1]), n),
            **{name: lambda pool=pool: rng.choice(pool, n) for name, pool in CATEGORIES.items()},
        }[kind]()
    x[rng.random(x.shape) < draw(st.sampled_from([0.0, 0.1, 0.5]))] = np.nan
    if finite:
        x[np.isinf(x)] = 5.0
    signal = np.nan_to_num(x, nan=0.7, posinf=9, neginf=-9).clip(-9, 9)
    categorical = [column for column, kind in enumerate(kinds) if kind in CATEGORIES]
    y = np.sin(signal @ rng.normal(size=d)) + rng.normal(scale=0.2, size=n) + np.isnan(x[:, 0])
    for column in categorical:
        y += np.sin(7 * np.nan_to_num(x[:, column], nan=0.3))
    return x, y.astype(np.float32), rng, categorical


def probes(x, forest, rng, categorical, dtype):
    """Rows of the table, and rows of thresholds or categories, their neighbours in that type, and awkward values."""
    edges = np.concatenate([[0.5], *(tree.threshold[tree.is_numerical] for tree in forest.trees)])
    with np.errstate(over="ignore"):
        edges = edges.astype(dtype)
        awkward = np.concatenate([AWKWARD.astype(dtype), np.array(WIDE).astype(dtype)])
        near = [edges, np.nextafter(edges, dtype(np.inf)), np.nextafter(edges, dtype(-np.inf))]
    pool = np.concatenate([*near, awkward])
    parts = [x[:150].astype(dtype), rng.choice(pool, (150, x.shape[1])), rng.choice(awkward, (40, x.shape[1]))]
    rows = np.concatenate(parts)
    for column in categorical:
        known = np.nan_to_num(rng.choice(x[:, column], 150))
        rows[-190:-40, column] = known + rng.choice([0, 0, 0, 0.5, -0.5, 0.99, 1, -1, 1e3, 1e6, 4e9, -4e9], 150)
    return rows


def same_leaves(found, native, forest, native_value):
    """The two number leaves differently: they must part the candidates alike, and give each part the same value."""
    for tree, ours, theirs, value in zip(forest.trees, found, native, native_value, strict=True):
        pairs = set(zip(ours.tolist(), theirs.tolist(), strict=True))
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
        for a, b in pairs:
            assert tree.value[a] == value(b)


def summed(forest, leaf_nodes):
    """Scores (n,) in float64 from the leaves that the candidates reached, and the size of what was added up."""
    values = np.stack([tree.value[nodes] for tree, nodes in zip(forest.trees, leaf_nodes, strict=True)])
    return values.sum(axis=0) + forest.base_score, np.abs(values).sum(axis=0) + abs(forest.base_score)


def scorers(forest, kernels, *, lightgbm_zero):
    for name, kernel in kernels.items():
        program = program_of(
            forest, permuted_leaves=kernel.permuted_leaves, lightgbm_zero=lightgbm_zero, where="a test"
        )
        yield name, BlendScorer(program, kernel, forest.n_features)


@EXAMPLES
@given(
    table=tables(finite=False),
    leaves=st.sampled_from([2, 3, 4, 7, 31, 64, 65, 130, 300]),
    max_bin=st.sampled_from([3, 63, 255, 1000]),
    use_missing=st.booleans(),
)
def test_every_leaf_is_lightgbms(kernels, table, leaves, max_bin, use_missing):
    x, y, rng, categorical = table
    booster = lightgbm.train(
        {"num_leaves": leaves, "max_bin": max_bin, "use_missing": use_missing, "min_data_in_leaf": 1,
         "min_data_in_bin": 1, "min_sum_hessian_in_leaf": 0, "verbosity": -1, "num_threads": 1, "learning_rate": 0.3,
         "min_data_per_group": 2, "cat_smooth": 1, "max_cat_threshold": 300},
        lightgbm.Dataset(x, y, categorical_feature=categorical), 8,
    )  # fmt: skip
    forest = from_treelite(treelite.frontend.from_lightgbm(booster))
    outputs = [lambda leaf, tree=tree: booster.get_leaf_output(tree, leaf) for tree in range(len(forest.trees))]
    for dtype in (np.float32, np.float64):
        rows = probes(x, forest, rng, categorical, dtype)
        native = booster.predict(rows, pred_leaf=True, num_threads=1).T.astype(int)
        expected = booster.predict(rows, raw_score=True, num_threads=1)
        for _, scorer in scorers(forest, kernels, lightgbm_zero=True):
            found = scorer.leaf_nodes(rows)
            same_leaves(found, native, forest, outputs)
            exact, size = summed(forest, found)
            assert (np.abs(scorer.score(rows) - exact) <= 1e-6 * size).all()
            assert (np.abs(scorer.score(rows) - expected) <= 1e-6 * size).all()


@settings(EXAMPLES, max_examples=10)  # XGBoost takes its time with columns of 70,000 categories
@given(
    table=tables(finite=True),
    depth=st.sampled_from([1, 2, 4, 6, 9]),
    max_bin=st.sampled_from([3, 64, 256, 1000]),
    grow=st.sampled_from(["depthwise", "lossguide"]),
    onehot=st.sampled_from([1, 8]),
)
def test_every_leaf_is_xgboosts(kernels, table, depth, max_bin, grow, onehot):
    x, y, rng, categorical = table
    types = ["c" if column in categorical else "q" for column in range(x.shape[1])]
    booster = xgboost.train(
        {"max_depth": depth, "max_bin": max_bin, "grow_policy": grow, "tree_method": "hist", "min_child_weight": 0,
         "nthread": 1, "verbosity": 0, "eta": 0.3, "max_cat_to_onehot": onehot},
        xgboost.DMatrix(x, y, nthread=1, feature_types=types, enable_categorical=True), 8,
    )  # fmt: skip
    forest = from_treelite(treelite.frontend.from_xgboost(booster))
    values = [table_of.__getitem__ for table_of in leaf_tables(booster)]
    for dtype in (np.float32, np.float64):
        rows = probes(x, forest, rng, categorical, dtype)
        rows[np.abs(rows) > 3.4e38] = 7.0  # which XGBoost refuses
        matrix = xgboost.DMatrix(rows, nthread=1)
        native = booster.predict(matrix, pred_leaf=True).reshape(len(rows), -1).T.astype(int)
        expected = booster.predict(matrix, output_margin=True)
        for _, scorer in scorers(forest, kernels, lightgbm_zero=False):
            found = scorer.leaf_nodes(rows)
            same_leaves(found, native, forest, values)
            exact, size = summed(forest, found)
            assert (np.abs(scorer.score(rows) - exact) <= 1e-6 * size).all()
            assert (np.abs(scorer.score(rows) - expected) <= 2e-6 * size).all()  # XGBoost itself adds in float32


def leaf_tables(booster):
    """Per tree, leaf value by node number."""
    import json

    trees = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"]
    return [np.float32(tree["split_conditions"]) for tree in trees]


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 96, 97, 127, 128, 129, 300])
def test_a_list_of_any_length_is_scored_row_by_row(kernels, teacher, splits, n):
    from harness.trees import artefacts

    forest = artefacts.load(teacher("lightgbm"))
    x = np.resize(splits.test.features, (n, forest.n_features))
    whole = Forest(forest.trees, forest.n_features)
    for _, scorer in scorers(whole, kernels, lightgbm_zero=True):
        alone = np.array([scorer.score(row[None])[0] for row in x])
        np.testing.assert_array_equal(scorer.score(x), alone)


def test_all_instruction_sets_score_bit_for_bit_alike(kernels, teacher, splits):
    from harness.trees import artefacts

    forest = artefacts.load(teacher("xgboost"))
    scores = [scorer.score(splits.test.features) for _, scorer in scorers(forest, kernels, lightgbm_zero=False)]
    for other in scores[1:]:
        np.testing.assert_array_equal(scores[0], other)
