"""Bad input gets an error that names the place and the remedy, with the right exit code and never a traceback."""

import numpy as np
import pytest


def said(done, code, *words):
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


def test_a_bad_scenario_lists_all_problems_at_once(cli):
    path = cli.root / "bad.yaml"
    path.write_text(
        "name: bad\nranker: {kind: lightgmb}\nsla: {p99_ms: 25, p99_ms: 30}\ncompress:\n  - {kind: truncate, keep: 2}\n"
    )
    done = cli.apart("run", path)
    said(done, 2, "bad.yaml:2:", "lightgbm", "bad.yaml:3:", "bad.yaml:5:", "compress.0.keep")
    assert cli("validate", path).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "nowhere.yaml"), ["nowhere.yaml"]),
        (("run",), ["PATHS"]),
        (("frobnicate",), ["frobnicate"]),
        (("list", "engine"), ["engines"]),
        (("judge", "."), ["not a run directory"]),
        (("report", ".", "--format", "pdf"), ["pdf"]),
        (("serve", "."), ["not a bundle"]),
    ],
)
def test_bad_usage(cli, arguments, words):
    done = cli(*arguments)
    assert done.returncode in (2, 3)
    said(done, done.returncode, *words)


def table(cli, name, grades, query=None, width=4):
    rng = np.random.default_rng(0)
    path = cli.root / f"{name}.csv"
    rows = [
        f"{q},{g},{','.join(f'{v:.3f}' for v in rng.normal(size=width))}" for q, g in zip(query, grades, strict=True)
    ]
    path.write_text("\n".join(["query,grade," + ",".join(f"f{i}" for i in range(width)), *rows]) + "\n")
    return path


def own_data(path, **more):
    split = {"train": str(path), "valid": str(path), "test": str(path), "query": "query", "grade": "grade"}
    return {"kind": "table", **split, **more}


GROUPS = np.repeat(np.arange(30), 4)


@pytest.mark.parametrize(
    ("grades", "query", "words"),
    [
        (["nan", *["1"] * 119], GROUPS, ["grade", "data.csv"]),
        (["0"] * 120, GROUPS, ["no candidate has a grade above 0"]),
        ([], [], ["data.csv"]),
        (["-1", *["1"] * 119], GROUPS, ["-1"]),
    ],
)
def test_bad_data(cli, grades, query, words):
    said(cli("run", cli.scenario(data=own_data(table(cli, "data", grades, query)))), 3, *words)


def test_groups_of_one_and_groups_without_a_positive_are_fine(cli):
    query = np.concatenate([GROUPS, [100, 101, 102]])
    grades = ["0"] * 4 + ["0", "1", "2", "0"] * 29 + ["1", "0", "1"]
    done = cli("run", cli.scenario(data=own_data(table(cli, "data", grades, query)), ranker={"min_rows_per_leaf": 2}))
    assert cli.ended(done, 0), done.stderr


def test_missing_data_is_named(cli):
    said(cli("run", cli.scenario(data=own_data(cli.root / "nowhere.csv"))), 3, "nowhere.csv")


def own_model(cli, path):
    return cli.scenario(ranker={"kind": "file", "path": str(path)})


def test_a_model_of_the_wrong_width(cli):
    import lightgbm

    x = np.random.default_rng(0).normal(size=(200, 3))
    booster = lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(x, x[:, 0]), 2)
    booster.save_model(cli.root / "model.txt")
    said(cli("run", own_model(cli, cli.root / "model.txt")), 3, "model.txt", "3 features", "136")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.txt", b"tree\nversion=v4\nnum_class=1\nhalf a file"),
        ("model.json", b'{"learner": {}}'),
        ("model.json", b"{"),
        ("model.ubj", b"\x00\x01\x02"),
        ("model.treelite", b"\x00" * 200),
        ("model.bin", b"no idea"),
    ],
)
def test_a_corrupt_model(cli, name, content):
    (cli.root / name).write_bytes(content)
    said(cli("run", own_model(cli, cli.root / name)), 3, name, "->")


def test_an_engine_that_does_not_fit(cli):
    said(cli("run", cli.scenario(engine="onnxruntime_int8")), 3, "it scores networks")


def test_a_method_that_does_not_fit(cli):
    recipe = [{"kind": "distil_mlp", "hidden": [4], "epochs": 1}, {"kind": "prune_leaves", "keep": 0.5}]
    done = cli("run", cli.scenario(compress=recipe))
    assert done.returncode in (2, 3)
    assert "Traceback" not in done.stderr
    assert "prune_leaves" in done.stderr
