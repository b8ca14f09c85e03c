from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.scenario import load

Write = Callable[[str, str], Path]
Refuses = Callable[..., list[str]]


def scenario(name: str) -> str:
    return f"name: {name}\nsla: {{p99_ms: 25}}\n"


def found(*paths: str) -> list[tuple[str, str, str]]:
    return [(entry.scenario.name, str(entry.file), entry.suite) for entry in load([Path(path) for path in paths])]


def test_a_folder_stands_for_its_own_scenario_files(write: Write) -> None:
    write("f/b.yml", scenario("b"))
    write("f/a.yaml", scenario("a"))
    write("f/_base.yaml", "description: only to be extended\n")
    write("f/notes.txt", "no scenario\n")
    write("f/below/c.yaml", scenario("c"))
    assert found("f") == [("a", "f/a.yaml", "f"), ("b", "f/b.yml", "f")]


def test_a_suite_lists_files_and_globs_relative_to_itself(write: Write) -> None:
    write("s/all.yaml", "suite: everything\ndescription: of it\nscenarios: [one.yaml, 'more/*.yaml']\n")
    write("s/one.yaml", scenario("one"))
    write("s/more/two.yaml", scenario("two"))
    write("s/more/three.yaml", scenario("three"))
    assert found("s/all.yaml") == [
        ("one", "s/one.yaml", "everything"),
        ("three", "s/more/three.yaml", "everything"),
        ("two", "s/more/two.yaml", "everything"),
    ]


def test_a_file_named_twice_is_loaded_once(write: Write) -> None:
    write("f/a.yaml", scenario("a"))
    write("f/all.yaml", "suite: all\nscenarios: ['*.yaml']\n")
    assert found("f/a.yaml", "f", "f/all.yaml") == [("a", "f/a.yaml", "")]
    assert found("f") == [("a", "f/a.yaml", "f")]


def test_the_problems_of_all_files_come_together(write: Write, refuses: Refuses) -> None:
    write("a.yaml", "name: a\nname: b\nsla: {p99_ms: -1}\n")
    write("b.yaml", "name: [\n")
    problems = refuses([Path("a.yaml"), Path("b.yaml"), Path("c.yaml")], ["x"])
    assert [problem.split(" ")[0] for problem in problems] == [
        "--set:", "a.yaml:2:1:", "a.yaml:3:7:", "b.yaml:2:1:", "c.yaml:",
    ]  # fmt: skip
    assert problems[-1] == "c.yaml: no such file or folder (did you mean 'b.yaml'? one of: a.yaml, b.yaml)"


@pytest.mark.parametrize(
    ("suite", "problem"),
    [
        ("scenarios: [no.yaml]", "s.yaml:2:13: scenarios.0: no such file: no.yaml"),
        ("scenarios: ['no/*.yaml']", "s.yaml:2:13: scenarios.0: no scenario file matches 'no/*.yaml'"),
        ("scenarios: [s.yaml]", "s.yaml:2:13: scenarios.0: is itself a suite; list scenario files"),
        ("scenarios: [5]", "s.yaml:2:13: scenarios.0: must be a path or glob relative to the suite"),
        ("scenarios: ['']", "s.yaml:2:13: scenarios.0: must be a path or glob relative to the suite"),
        ("scenarios: []", "s.yaml:2:1: scenarios: must be a list of scenario files or globs"),
        ("description: x", "s.yaml:1:1: scenarios: must be a list of scenario files or globs"),
        ("scenario: [a.yaml]", "s.yaml:2:1: scenario: unknown key of a suite (did you mean 'scenarios'?"),
    ],
)
def test_a_suite_that_can_not_be_read_is_a_problem_at_its_place(
    write: Write, refuses: Refuses, suite: str, problem: str
) -> None:
    assert any(said.startswith(problem) for said in refuses([write("s.yaml", f"suite: s\n{suite}\n")]))


def test_two_files_with_one_name_would_share_a_result(write: Write, refuses: Refuses) -> None:
    files = [write("a.yaml", scenario("same")), write("b.yaml", scenario("same"))]
    assert refuses(files) == ["b.yaml: name: 'same' is also the name of a scenario in a.yaml"]


def test_an_empty_folder_and_no_path_at_all_are_problems(tmp_path: Path, refuses: Refuses) -> None:
    assert refuses([tmp_path]) == [f"{tmp_path}: no .yaml file in this folder"]
    with pytest.raises(ScenarioError, match="no scenario file given"):
        load([])
