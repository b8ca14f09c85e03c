"""A commented scenario about the user's own model and data."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.init.data_file import DataKeys
from harness.init.model_file import ModelFile

_PLAIN = re.compile(r"[A-Za-z0-9_./~][A-Za-z0-9_./~-]*")
_NOT_TEXT = ("null", "true", "false", "yes", "no", "on", "off", "~", ".inf", ".nan")
_DEFAULT_SLA = {"p99_ms": 25.0, "error_rate": 0.001}
_DEFAULT_QUALITY = {"ndcg_drop": 0.005}


@dataclass(frozen=True)
class Question:
    """What the user told: files that were read, the keys of `data`, objectives, traffic."""

    name: str
    model: ModelFile | None
    data: DataKeys | None
    files: dict[str, Path]
    feature_keys: dict[str, Any]
    sla: dict[str, float]
    offered_qps: float
    n_candidates: int | None


def draft(question: Question) -> str:
    """The scenario as YAML with a comment where something was chosen for the user."""
    parts = [
        f"name: {_scalar(question.name)}",
        *([_data(question.data, question.files, question.feature_keys)] if question.data else []),
        _ranker(question.model),
        _recipe(question),
        _traffic(question),
        _sla(question),
    ]
    return "\n\n".join(parts) + "\n"


def _data(data: DataKeys, files: dict[str, Path], feature_keys: dict[str, Any]) -> str:
    lines = ["data:", f"  kind: {data.kind} # {data.format}; `harness explain {data.kind}` tells all keys"]
    lines += [f"  {split}: {_scalar(path)}" for split, path in files.items()]
    if files["train"] == files["test"]:
        lines[-1] += " # the rows of train too, so NDCG lost looks smaller than it is: hold some query groups out"
    if "valid" not in files:
        lines.append("  # valid: FILE # absent: a fifth of the train queries; quality gates (max_drop) look at it")
    if data.groups_beside:
        lines += [f"  {split}_groups: {_scalar(f'{path}.query')}" for split, path in files.items()]
    for key, value in (data.keys | feature_keys).items():
        guess = " # a guess from what the columns hold: check it" if key in data.guessed else ""
        lines.append(f"  {key}: {_scalar(value)}{guess}")
    return "\n".join(lines)


def _ranker(model: ModelFile | None) -> str:
    if model is None:
        return "\n".join((
            "ranker: # the teacher; a model file of yours: {kind: file, path: model.txt}",
            "  kind: lightgbm # LambdaMART, trained on train",
            "  n_trees: 300",
            "  n_leaves: 64",
            "  early_stopping_rounds: 50",
        ))  # fmt: skip
    width = f", {model.n_features} features" if model.n_features else ""
    return "\n".join((
        f"ranker: # the teacher that all quality is measured against: {model.format}{width}",
        "  kind: file",
        f"  path: {_scalar(model.path)}",
    ))  # fmt: skip


def _recipe(question: Question) -> str:
    """A recipe that suits the model, and an engine that takes both it and what comes out."""
    if question.model is not None and question.model.is_network:
        return "\n".join((
            "compress: # `harness explain distil_mlp` tells what else a network can be taught by",
            "  - kind: distil_mlp # a smaller network, taught by yours",
            "    hidden: [64, 32]",
            "",
            "engine: native # of the small network; yours is served by its own library",
        ))  # fmt: skip
    if question.data is None:
        return "\n".join((
            "compress: # without data only these two work, and what they cost in quality is not measured",
            "  - {kind: truncate, keep: 0.5} # the first half of the trees",
            "  - {kind: quantise} # thresholds as small integers; changes no score",
            "",
            "engine: bitblend # `harness bench` times all that take the model",
        ))  # fmt: skip
    return "\n".join((
        "compress: # methods in order; `harness list methods` has more, `harness explain prune_levels` tells its keys",
        "  - {kind: prune_levels, keep: 0.25} # a quarter of the nodes, fitted to the teacher's scores",
        "  - {kind: quantise, leaves: int8} # narrow leaves",
        "",
        "engine: bitblend # `harness bench` times all that take the model",
    ))  # fmt: skip


def _traffic(question: Question) -> str:
    count = "null # the query groups as they are" if question.n_candidates is None else str(question.n_candidates)
    return "\n".join((
        "traffic:",
        f"  offered_qps: {question.offered_qps:g} # requests per second, planned with exponential gaps",
        f"  n_candidates: {count}",
        "  window_s: 30 # judged seconds of teacher and compressed ranker each",
        "  extend_to_s: 120 # a run that is still undecided goes on up to here",
    ))  # fmt: skip


def _sla(question: Question) -> str:
    chosen = _DEFAULT_SLA | (_DEFAULT_QUALITY if question.data else {})
    return "\n".join((
        "sla: # latency runs from the time a request was due; `harness explain p99_ms` tells how it is judged",
        *(f"  {name}: {limit:g}" for name, limit in (question.sla or chosen).items()),
    ))  # fmt: skip


def _scalar(value: Any) -> str:
    """A value on one line, text in quotes where YAML could take it for something else."""
    if isinstance(value, list):
        return f"[{', '.join(map(_scalar, value))}]"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    text = str(value)
    number = re.match(r"\.?\d", text)  # or a date
    plain = _PLAIN.fullmatch(text) and not number and text.lower() not in _NOT_TEXT
    return text if plain else json.dumps(text)
