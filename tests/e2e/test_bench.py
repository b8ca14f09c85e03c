"""Benches and the choice of an engine from the command line."""

import json
import shutil

import pytest
from ruamel.yaml import YAML


@pytest.mark.slow
@pytest.mark.usefixtures("no_orphans")
def test_a_model_file_is_benched_reported_and_judged(cli, teacher):
    shutil.copyfile(teacher("lightgbm").file("model.txt"), cli.root / "mine.txt")
    done = cli("bench", "mine.txt", "--n-candidates", "1,10", "--engines", "native,tl2cgen,onnxruntime_int8")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "the fastest exact engine for this model is" in said
    assert "onnxruntime_int8 it scores networks" in said
    run_dir = cli.only_run("mine-bench")
    found = json.loads((run_dir / "bench.json").read_text())
    assert [engine["engine"] for engine in found["engines"]] == ["native", "tl2cgen"]
    assert found["engines"][1]["compile_s"] > 0
    assert "Engines: mine" in cli("report", run_dir, "--format", "markdown").stdout
    assert cli("judge", run_dir, "--json").returncode == 0


@pytest.mark.slow
@pytest.mark.usefixtures("no_orphans")
def test_a_run_with_engine_auto_serves_what_it_chose_and_says_why(cli):
    done = cli(
        "run", cli.scenario(engine="auto", traffic={"n_candidates": {"kind": "lognormal", "median": 8, "sigma": 0.5}})
    )
    assert cli.ended(done, 0), done.stderr
    result, run_dir = cli.result(), cli.only_run()
    engine = result["measurements"]["targets"][0]["engine"]
    assert engine not in ("auto", "fake")
    assert YAML(typ="safe").load(run_dir / "scenario.yaml")["engine"]["kind"] == engine
    assert result["measurements"]["scenario"]["engine"]["kind"] == engine
    (why,) = [found for found in result["measurements"]["findings"] if found["name"] == "engine-chosen"]
    assert why["message"].startswith(f"{engine} is the fastest exact engine here")
    assert result["measurements"]["ledger"][-1]["engine"] == engine
    assert cli("judge", run_dir).returncode == done.returncode


@pytest.mark.slow
@pytest.mark.usefixtures("no_orphans")
def test_a_server_of_a_bundle_chooses_too(cli, teacher):
    serving = cli.start("serve", teacher("lightgbm").path, "--engine", "auto", "--port", 0)
    try:
        line = next(line for line in iter(serving.stderr.readline, "") if "serving" in line)
        assert "with auto" not in line
    finally:
        serving.terminate()
        serving.communicate()
