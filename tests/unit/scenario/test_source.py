from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import Problem
from harness.scenario.source import Node, Place, dotted, key_of, parse, read, scalar


def parsed(text: str) -> tuple[Node | None, list[str]]:
    problems: list[Problem] = []
    node = parse(text, "f.yaml", problems)
    return node, [str(problem) for problem in problems]


def test_values_remember_the_place_of_their_key() -> None:
    node, problems = parsed("a: 1\nb:\n  c:\n    - x: {y: 2}\n")
    assert node is not None
    assert problems == []
    assert node.plain() == {"a": 1, "b": {"c": [{"x": {"y": 2}}]}}
    inner = node.at(("b", "c", 0, "x", "y"))
    assert inner is not None
    assert inner.place == Place("f.yaml", 4, 11)
    assert node.at(("b", "c", 1)) is None
    assert node.at(("a", "b")) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("1.5", 1.5), ("1e3", 1000.0), ("0x1f", 31), ("true", True), ("null", None), ("", None),
        ("yes", "yes"), ("no", "no"), ("2020-01-01", "2020-01-01"), ("1:30", "1:30"), ("+_", "+_"),
        ("9" * 5000, "9" * 5000),
    ],
)  # fmt: skip
def test_scalars_read_as_yaml_1_2_reads_them(text: str, value: object) -> None:
    assert scalar(text) == value
    node, _ = parsed(f"a: {text}")
    assert node is not None
    assert node.plain() == {"a": value}


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["f.yaml: is empty"]),
        ("# nothing\n", ["f.yaml: is empty"]),
        ("a: 1\nb: 2\na: 3\nb: 4\n", ["f.yaml:3:1: duplicate key 'a', first in line 1",
                                     "f.yaml:4:1: duplicate key 'b', first in line 2"]),
        ("a:\n\tb: 1\n", ["f.yaml:2:1: is not YAML: while scanning for the next token, "
                        "found character '\\t' that cannot start any token"]),
        ("a: *x\n", ["f.yaml:1:4: is not YAML: found undefined alias 'x'"]),
        ("a: 1\nb: \x01\n", ["f.yaml:2:4: is not YAML: special characters are not allowed"]),
        ("a: &x [*x]\n", ["f.yaml:1:4: an alias that contains itself"]),
        ("<<: {a: 1}\n", ["f.yaml:1:1: merge keys (<<) are not supported; use `extends` or `vars`"]),
        ("? [a]\n: 1\n", ["f.yaml:1:3: a key must be plain text"]),
        ("a: !!python/object/apply:os.system [ls]\n",
         ["f.yaml:1:1: the tag 'python/object/apply:os.system' is not allowed here"]),
        ("[" * 500, ["f.yaml: is nested too deeply"]),
    ],
)  # fmt: skip
def test_what_is_not_plain_yaml_is_a_problem_with_its_place(text: str, problems: list[str]) -> None:
    assert parsed(text)[1] == problems


def test_a_variable_in_flow_style_without_quotes_is_explained() -> None:
    (problem,) = parsed("a: {b: ${X}}\n")[1]
    assert problem.startswith("f.yaml:1:9:")
    assert 'quote what has a variable: "${name}"' in problem


def test_aliases_share_values_and_the_nearest_anchor_counts() -> None:
    node, problems = parsed("a: &x 1\nb: &x 2\nc: *x\n")
    assert node is not None
    assert problems == []
    assert node.plain() == {"a": 1, "b": 2, "c": 2}


def test_aliases_that_grow_without_bound_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    (problem,) = parsed("\n".join(lines))[1]
    assert "more than 20000 values" in problem


def test_a_file_that_is_not_utf_8_is_a_problem_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "q.yaml"
    file.write_bytes(b"a: 1\nb: \xff\n")
    problems: list[Problem] = []
    assert read(file, problems) is None
    assert str(problems[0]) == f"{file}:2:1: is not UTF-8 text (byte 0xff)"


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    file = tmp_path / "q.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    node = read(file, [])
    assert node is not None
    assert node.plain() == {"a": 1}


def test_a_dotted_key_is_names_and_list_indices() -> None:
    assert key_of("compress.0.keep") == ("compress", 0, "keep")
    assert dotted(("compress", 0, "keep")) == "compress.0.keep"
