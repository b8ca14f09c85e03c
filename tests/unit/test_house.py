"""The house rules that tools can hold: style, types, import directions, file sizes, the command line's start-up."""

import ast
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON_FILES = sorted(ROOT.glob("harness/**/*.py"))


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--no-cache", "."],
        ["ruff", "format", "--no-cache", "--check", "."],
        ["mypy", "--no-incremental"],
        ["lint-imports", "--no-cache"],
    ],
    ids=lambda command: command[0] + "-" + command[1].strip("-"),
)
def test_the_tools_are_content(command):
    program = shutil.which(command[0], path=str(Path(sys.executable).parent)) or command[0]
    done = subprocess.run([program, *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_stay_small():
    lengths = sorted(len(path.read_text().splitlines()) for path in PYTHON_FILES)
    assert lengths[len(lengths) // 2] <= 140
    assert lengths[-1] <= 500


def test_help_imports_nothing_heavy():
    heavy = {
        "torch",
        "lightgbm",
        "xgboost",
        "locust",
        "gevent",
        "treelite",
        "pandas",
        "scipy",
        "numpy",
        "pydantic",
        "rich",
    }
    code = "import sys, harness.cli; print('\\n'.join(m.partition('.')[0] for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not heavy & set(done.stdout.split())


def test_validating_imports_no_model_library():
    code = (
        "import sys; from pathlib import Path; from harness.scenario import load;"
        "load([Path('scenarios/quickstart.yaml')]); print('\\n'.join(m.partition('.')[0] for m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"torch", "lightgbm", "xgboost", "locust", "gevent", "treelite", "scipy"} & set(done.stdout.split())


def test_only_the_load_process_imports_locust():
    importers = {
        path.relative_to(ROOT).parts[1]
        for path in PYTHON_FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in ("locust", "gevent"))
        or (isinstance(node, ast.Import) and any(a.name.partition(".")[0] in ("locust", "gevent") for a in node.names))
    }
    assert importers == {"load"}


def test_the_server_libraries_are_the_fast_ones():
    assert all(importlib.util.find_spec(name) for name in ("uvicorn", "httptools", "uvloop"))


def test_no_machine_path_and_no_foreign_host_in_the_tree():
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    for name in files:
        if name.endswith((".py", ".md", ".yaml", ".toml", ".j2")):
            text = (ROOT / name).read_text(encoding="utf-8")
            for word in ("/" + "work/", "/" + "root/", "pypi." + "org", "pythonhosted" + "."):
                assert word not in text, f"{name} names {word}"
