"""`harness init` on files as users have them: what it writes is valid and builds."""

from importlib import import_module

import pytest
from click.testing import CliRunner

from harness.cache import Cache
from harness.cli import harness
from harness.pipeline.prepare import built
from harness.scenario import TEMPLATE, load_one


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments, **more: CliRunner().invoke(harness, ["init", *arguments], standalone_mode=False, **more)


@pytest.mark.parametrize(
    ("model", "suffix", "recipe"),
    [
        ("lightgbm", "svm", ["prune_levels", "quantise"]),
        ("xgboost", "csv", ["prune_levels", "quantise"]),
        ("torchscript", "svm", ["distil_mlp"]),
        ("onnx", "csv", ["distil_mlp"]),
    ],
)
def test_a_model_and_data_become_a_scenario_that_builds(invoke, data_file, model_file, tmp_path, model, suffix, recipe):
    files = [part for split in ("train", "valid", "test") for part in (f"--{split}", data_file(split, suffix))]
    result = invoke("mine.yaml", "--model", model_file(model), *files, "--sla", "p99_ms=20", "--qps", "50")
    assert result.exception is None, result.exception
    assert f"a {model} model" in result.output
    assert result.output.endswith("next: harness run mine.yaml\n")
    assert "valid" in CliRunner().invoke(harness, ["validate", "mine.yaml"], standalone_mode=False).output
    scenario = load_one(tmp_path / "mine.yaml")
    assert scenario.name == "mine"
    assert (scenario.traffic.offered_qps, scenario.traffic.n_candidates) == (50, None)
    assert scenario.sla.objectives == {"p99_ms": 20}
    assert [choice.kind for choice in scenario.compress] == recipe
    shorter = ["compress.0.epochs=1"] if recipe == ["distil_mlp"] else []
    _, steps = built(load_one(tmp_path / "mine.yaml", shorter), Cache(tmp_path / "cache"), lambda _: None)
    assert [step.row.step for step in steps] == ["file", *recipe]


def test_trees_without_data_are_shortened_under_made_up_candidates(invoke, model_file, tmp_path):
    assert "a lightgbm model of 12 features; and" in invoke("mine.yaml", "--model", model_file("lightgbm")).output
    scenario = load_one(tmp_path / "mine.yaml")
    assert not scenario.has_data
    assert scenario.sla.objectives == {"p99_ms": 25, "error_rate": 0.001}
    assert [choice.kind for choice in scenario.compress] == ["truncate", "quantise"]


@pytest.mark.parametrize("name", ["2024", "null", "1e3", "0x1f", "2024-01-01"])
def test_a_name_that_yaml_takes_for_something_else_stays_a_name(invoke, model_file, tmp_path, name):
    assert invoke(f"{name}.yaml", "--model", model_file("lightgbm"), "--sla", "p99_ms=25").exception is None
    assert load_one(tmp_path / f"{name}.yaml").name == name


def test_data_without_a_model_trains_one(invoke, data_file, tmp_path):
    invoke("mine.yaml", "--train", data_file("train", "tsv"), "--test", data_file("test", "tsv"))
    scenario = load_one(tmp_path / "mine.yaml")
    assert (scenario.data.kind, scenario.ranker.kind) == ("table", "lightgbm")
    assert scenario.sla.objectives["ndcg_drop"] == 0.005


def test_one_data_file_is_both_train_and_test_and_the_scenario_says_what_that_means(invoke, data_file, tmp_path):
    invoke("mine.yaml", "--train", data_file("train", "parquet"))
    assert "hold some query groups out" in (tmp_path / "mine.yaml").read_text()
    assert load_one(tmp_path / "mine.yaml").data.options["test"] == "train.parquet"


def test_a_terminal_is_asked_and_asked_again(invoke, data_file, tmp_path, monkeypatch):
    monkeypatch.setattr(import_module("harness.cli.init"), "_on_a_terminal", lambda: True)
    answers = [
        "nowhere.txt",
        "",
        data_file("train", "csv"),
        data_file("test", "csv"),
        "15",
        "80",
        "60",
    ]
    result = invoke("mine.yaml", input="\n".join([*answers, "0.01", ""]))
    assert "'nowhere.txt' does not exist" in result.output
    scenario = load_one(tmp_path / "mine.yaml")
    assert scenario.sla.objectives == {"p99_ms": 15, "error_rate": 0.001, "ndcg_drop": 0.01}
    assert (scenario.traffic.offered_qps, scenario.traffic.n_candidates) == (80, 60)


def test_without_options_and_terminal_it_is_the_commented_starting_point(invoke, tmp_path):
    invoke("mine.yaml")
    assert (tmp_path / "mine.yaml").read_text() == f"# yaml-language-server: $schema=scenario.schema.json\n{TEMPLATE}"


def test_the_schema_that_the_scenario_names_lies_beside_it(invoke, tmp_path):
    import json

    import jsonschema
    from ruamel.yaml import YAML

    (tmp_path / "below").mkdir()
    invoke("below/mine.yaml")
    schema = json.loads((tmp_path / "below" / "scenario.schema.json").read_text())
    jsonschema.validate(YAML(typ="safe").load((tmp_path / "below" / "mine.yaml").read_text()), schema)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nowhere.txt"], "'nowhere.txt' does not exist"),
        (["--model", "notes.md"], "can't tell what wrote this file"),
        (["--model", "half.txt"], "half.txt"),
        (["--model", "fake.pt"], "not a TorchScript file\n  -> save it with"),
        (["--model", "fake.onnx"], "not a readable ONNX file"),
        (["--sla", "p99_ms"], "is not of the form NAME=LIMIT"),
        (["--sla", "speed=9"], "--sla: Value error, unknown objective 'speed'"),
        (["--sla", "p99_ms=-1"], "--sla: p99_ms: Input should be greater than 0"),
        (["--query", "q"], "--valid, --query and --grade are about data files"),
        (["--train", "empty.csv"], "empty.csv: the file is empty"),
        (["--train", "notes.md"], "neither SVMlight nor a table with a query, a grade and a feature"),
        (["--train", "no-query.svm"], "its lines name no query (qid:)"),
        (["--train", "anonymous.csv"], "no column looks like the query, of a, b, c\n  -> name it with --query COLUMN"),
        (["--train", "anonymous.csv", "--query", "aa"], "no column 'aa' (did you mean 'a'? one of: a, b, c)"),
        (["--train", "broken.csv.gz"], "broken gzip file"),
        (["--train", "fake.parquet"], "not a Parquet file with rows"),
        (["--train", "binary.bin"], "neither Parquet nor text"),
    ],
)
def test_what_can_not_be_used_is_refused_by_name_and_nothing_is_written(invoke, tmp_path, arguments, message):
    files = {
        "notes.md": b"what I know\n", "half.txt": b"tree\nversion=v4\nhalf", "fake.pt": b"PK", "fake.onnx": b"\x00",
        "empty.csv": b"", "no-query.svm": b"1 1:0.5 2:0.1\n", "anonymous.csv": b"a,b,c\n0.1,0.2,0.3\n0.1,0.5,0.3\n",
        "broken.csv.gz": b"\x1f\x8bnope", "fake.parquet": b"PAR1", "binary.bin": b"\xff\xfe\x00\n",
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    result = invoke("mine.yaml", *arguments)
    error = result.exception
    assert message in (error.format_message() if hasattr(error, "format_message") else str(error))
    assert not (tmp_path / "mine.yaml").exists()


def test_a_network_needs_data(invoke, model_file):
    assert "needs data" in str(invoke("mine.yaml", "--model", model_file("torchscript")).exception)


def test_data_of_another_width_is_refused_with_both_numbers(invoke, model_file, data_file):
    model, train = model_file("lightgbm"), data_file("train", "csv", query="query", price=1.5, weight=2.5)
    message = str(invoke("mine.yaml", "--model", model, "--train", train).exception)
    assert "the model takes 12 features, the data has 14 numeric columns beside query and label" in message


def test_files_of_different_columns_are_refused(invoke, data_file):
    train, test = data_file("train", "csv"), data_file("test", "csv", price=1.5)
    assert "is not of the kind and columns of train.csv" in str(
        invoke("m.yaml", "--train", train, "--test", test).exception
    )
