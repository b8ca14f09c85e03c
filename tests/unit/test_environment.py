import json

from harness.environment import describe, identity


def test_the_environment_is_complete_and_json():
    found = json.loads(json.dumps(describe()))
    assert found["cores"] >= 1
    assert found["cpu"]
    assert set(found["versions"]) >= {
        "harness",
        "lightgbm",
        "xgboost",
        "torch",
        "treelite",
        "tl2cgen",
        "locust",
        "uvicorn",
    }
    for key in ("isa", "affinity", "compiler", "git_revision", "kernel", "python", "memory_mb"):
        assert key in found


def test_the_identity_of_a_machine_is_part_of_its_description():
    assert identity().items() <= describe().items()
    assert set(identity()) == {"cpu", "cores", "kernel"}
