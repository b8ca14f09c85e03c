"""Each way a command can be asked wrongly ends in a message that says what, where and the next step."""

import gzip
import socket

import pytest
from click.testing import CliRunner

from harness.cli import harness
from harness.errors import HarnessError

SLA = "sla: {p99_ms: 25}\n"
TABLE = "name: t\ndata: {kind: table, train: data.csv, test: data.csv, query: query, grade: grade%s}\n" + SLA
TARGET = "name: t\ntarget: {url: 'http://127.0.0.1:9/rank'}\ntraffic: {n_features: 3}\n" + SLA
ROWS = "".join(f"{q},{q % 2},0.{q},{q}\n" for q in range(4))


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A working directory with a cache of its own and files to go wrong with."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ABSENT", raising=False)
    monkeypatch.setenv("UNFIT", "two\nlines")
    files = {
        "fine.yaml": f"name: fine\n{SLA}",
        "several.yaml": f"name: s\n{SLA}matrix: {{traffic.offered_qps: [1, 2]}}\n",
        "target.yaml": TARGET,
        "table.yaml": TABLE % "",
        "no-file.yaml": f"name: n\nranker: {{kind: file, path: modle.txt}}\n{SLA}",
        "notes.yaml": f"name: n\nranker: {{kind: file, path: notes.md}}\n{SLA}",
        "env.yaml": f"name: ${{ABSENT}}\n{SLA}",
        "labels.yaml": f"name: l\ncompress: [{{kind: distil_mlp, targets: labels, hints: leaves}}]\n{SLA}",
        "movies.yaml": f"name: m\ndata: {{kind: movielens, folder: movies}}\n{SLA}",
        "movies/movies.csv": "movieId,title,genres\n1,A (1999),Drama\n",
        "movies/ratings.csv": "userId,movieId,rating,timestamp\n",
        "model.txt": "tree\nhalf a file",
        "notes.md": "no model",
        "full/something": "",
        "study/capacity.json": "{}",
        "run/measurements.json": "{}",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def said(room):
    """`said("run", "x.yaml")`: the whole message of the error that the command ends with."""

    def invoke(*arguments):
        error = CliRunner().invoke(harness, list(map(str, arguments)), standalone_mode=False).exception
        assert error is not None, f"harness {' '.join(map(str, arguments))} did not fail"
        assert isinstance(error, HarnessError) or hasattr(error, "format_message"), repr(error)
        return str(error) if isinstance(error, HarnessError) else error.format_message()

    return invoke


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("run nowhere.yaml", ["nowhere.yaml", "no such file"]),
        ("validate env.yaml", ["env.yaml:1:", "ABSENT"]),
        ("run fine.yaml --set traffic.qps=3", ["--set", "traffic.qps", "offered_qps"]),
        ("run fine.yaml --set traffic", ["--set", "not of the form"]),
        ("run fine.yaml --out full/something/below", ["can't create the run directory", "choose another folder"]),
        ("run no-file.yaml", ["no such model file", "did you mean 'model.txt'?", "check its path"]),
        ("run notes.yaml", ["notes.md", "not a file of trees", "name a scenario with its data"]),
        ("run table.yaml", ["data.csv", "no such file", "correct data.train in the scenario"]),
        ("run target.yaml", ["to /rank", "no answer", "-> check that it runs"]),
        ("validate several.yaml --set engine=ntaive", ["--set", "did you mean 'native'"]),
        ("validate labels.yaml", ["labels.yaml:2:", "learns from the true grades alone", "leave out hints"]),
        ("run movies.yaml", ["movies/ratings.csv", "holds no ratings", "copy or download it again"]),
        ("calibrate several.yaml", ["several.yaml", "holds 2 scenarios; one is needed", "without a matrix"]),
        ("capacity several.yaml", ["holds 2 scenarios; one is needed"]),
        ("judge full", ["not a run directory: no readable", "name a folder that `harness run` has written"]),
        ("judge run", ["run/measurements.json", "damaged measurements.json", "run the scenario again"]),
        ("report full", ["not a run directory"]),
        ("report study", ["study/capacity.json", "damaged capacity.json", "measure it again"]),
        ("report full --format markdwon", ["no format 'markdwon' (did you mean 'markdown'?", "`harness list formats`"]),
        ("serve full", ["full", "not a bundle"]),
        ("serve target.yaml", ["its target is served by others", "serve takes a bundle or a ranker"]),
        ("export full --to onxx out", ["no exporter 'onxx' (did you mean 'onnx'?", "`harness list exporters`"]),
        ("export target.yaml --to c out", ["its target is served by others", "name a bundle or a ranker"]),
        ("bench model.txt", ["model.txt", "->"]),
        ("bench model.txt --set a=1", ["changes the keys of a scenario, and this is none", "leave it out"]),
        ("bench fine.yaml --n-candidates 1,x", ["is no list of whole numbers from 1"]),
        ("bench fine.yaml --engines native:x", ["'x' is not key=value", "such as tl2cgen:opt_level=3"]),
        ("bench fine.yaml --engines fale", ["did you mean 'fake'"]),
        ("bench full", ["full", "->"]),
        ("compare fine.yaml@nativ full", ["did you mean 'native'"]),
        ("load full", ["no readable plan.json", "`harness load export SCENARIO DIR`"]),
        ("load full --master --worker", ["exclude one another", "give one of them"]),
        ("load export several.yaml out", ["holds 2 scenarios; one is needed"]),
        ("load export fine.yaml out", ["the scenario names no target", "add --target-url"]),
        ("load export fine.yaml full --target-url http://127.0.0.1:9/x", ["holds something already", "a new folder"]),
        ("load export fine.yaml out --target-url http://example.org/x", ["not a loopback address", "--remote"]),
        ("load export fine.yaml full/something/x --target-url http://127.0.0.1:9/x", ["can't write the plan", "->"]),
        (
            "load export fine.yaml out --target-url http://127.0.0.1:9/x --set traffic.arrival=replay "
            "--set traffic.arrivals=nowhere.txt",
            ["nowhere.txt", "can't be read", "correct traffic.arrivals"],
        ),
        ("probe not-a-url", ["only http and https URLs can be asked", "give a URL such as"]),
        ("probe http://[::1", ["not a URL to ask", "give a URL such as"]),
        ("probe http://me:secret@127.0.0.1/x", ["credentials in a URL", "use headers_env or bearer_env"]),
        ("probe http://example.org/x", ["example.org is not a loopback address", "--remote"]),
        ("probe http://127.0.0.1:9/x --header-env X", ["is not of the form NAME=VALUE"]),
        ("probe http://127.0.0.1:9/x --header-env X=ABSENT", ["ABSENT is not set", "export ABSENT before the run"]),
        ("probe http://127.0.0.1:9/x --header-env X=UNFIT", ["UNFIT holds what no header can carry", "ASCII"]),
        ("probe http://127.0.0.1:9/x --header-env X=a-b", ["--header-env", "the variable's name and not its value"]),
        ("probe https://127.0.0.1:9/x --tls-ca nowhere.pem", ["can't read the authority's certificate", "PEM"]),
        ("probe http://127.0.0.1:9/x --adapter opi", ["no adapter 'opi' (did you mean 'oip'?"]),
        ("probe http://127.0.0.1:9/x --adapter rank", ["does not say how many features it takes", "add --n-features"]),
        ("probe http://127.0.0.1:9/x --set encodin=json", ["encodin", "encoding"]),
        ("schema --out nowhere/schema.json", ["nowhere/schema.json", "can't write", "a folder that is there"]),
        ("init nowhere/mine.yaml", ["can't write", "a folder that is there"]),
        ("init fine.yaml", ["fine.yaml", "exists already", "add --force"]),
        ("list engine", ["engines"]),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly(said, arguments, words):
    message = said(*arguments.split())
    assert all(word in message for word in words), message


def test_a_probe_of_a_port_where_no_one_listens(said):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        message = said("probe", f"http://127.0.0.1:{free.getsockname()[1]}/x", "--n-features", "3")
    assert "no answer" in message
    assert "->" in message


@pytest.mark.parametrize(
    ("content", "more", "words"),
    [
        (b"query,grade,a,b\n" + ROWS.encode(), ", features: [c]", ["no column 'c'", "correct data.query, data.grade"]),
        (
            b"query,grade,a,b\n1,0,x,1\n1,1,0.5,2\n2,1,0.25,3\n",
            "",
            ["column 'a', row 1", "not a number", "data.ignore"],
        ),
        (b"query,grade,a,b\n", "", ["no rows", "at least one query"]),
        (b"query,grade,a,b\n1,-1,1,1\n", "", ["row 1", "grade -1", "whole numbers from 0"]),
        (b'query,grade,a,b\n"1,0,1,1\n', "", ["not a table", "check separator, header and quoting"]),
        (b"query,grade,a,b\n,1,1,1\n", "", ["no query (the cell is empty)", "every row needs its query"]),
        (b"\xff\xfe,1\n", "", ["not a table", "UTF-8"]),
    ],
)
def test_data_that_is_none(said, room, content, more, words):
    (room / "data.csv").write_bytes(content)
    (room / "table.yaml").write_text(TABLE % more)
    message = said("run", "table.yaml")
    assert all(word in message for word in words), message


def test_a_broken_gzip_file(said, room):
    (room / "data.csv.gz").write_bytes(gzip.compress(b"query,grade,a\n1,0,1\n")[:-9])
    (room / "table.yaml").write_text((TABLE % "").replace("data.csv", "data.csv.gz"))
    message = said("run", "table.yaml")
    assert "data.csv.gz: broken gzip file" in message
    assert "copy or download it again" in message


def test_a_parquet_file_with_a_column_twice(said, room):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(
        pa.table([[1, 1], [0, 1], [5, 6], [7, 8]], names=["query", "grade", "a", "a"]), room / "data.parquet"
    )
    (room / "table.yaml").write_text((TABLE % "").replace("data.csv", "data.parquet"))
    assert "data.parquet: two columns named 'a'\n  -> give each column its own name" in said("run", "table.yaml")


def test_a_cache_that_can_not_be_written(said, room, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(room / "full" / "something"))
    (room / "letor.yaml").write_text(f"name: l\ndata: {{kind: letor, train: a.svm, test: a.svm}}\n{SLA}")
    (room / "a.svm").write_text("1 qid:1 1:0.5\n0 qid:1 1:0.25\n")
    message = said("run", "letor.yaml")
    assert "can't create a folder in the cache" in message
    assert "set HARNESS_CACHE to a folder you may write to" in message


def test_a_bundle_that_does_not_take_a_form(said, teacher, room):
    bundle = teacher("lightgbm").path
    assert "export them --to lightgbm" in said("export", bundle, "--to", "xgboost", "out")
    assert "is not an empty folder\n  -> name a new one" in said("export", bundle, "--to", "treelite", "full")
    assert "no engine" in said("bench", bundle, "--engines", "onnxruntime_int8")
