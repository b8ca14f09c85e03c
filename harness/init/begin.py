"""From what the user named to the text of a scenario."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from harness.errors import UsageError
from harness.init.data_file import DataKeys, feature_keys, read_data
from harness.init.draft import Question, draft
from harness.init.model_file import ModelFile, read_model
from harness.scenario import Sla

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Begin:
    """What a user names: files (None: none), columns (empty: to be guessed), objectives, traffic."""

    name: str
    model: Path | None = None
    train: Path | None = None
    valid: Path | None = None
    test: Path | None = None
    query: str = ""
    grade: str = ""
    sla: Mapping[str, float] = field(default_factory=dict)
    offered_qps: float = 100.0
    n_candidates: int | None = None


def begin(asked: Begin) -> tuple[str, str]:
    """The scenario's text, and in words what was found in the files. Raises UsageError, ModelError or DataError."""
    sla = _checked(asked.sla)
    model = read_model(asked.model) if asked.model else None
    data, files = _data(asked)
    if model is not None and model.is_network and data is None:
        raise UsageError(
            f"a {model.format} network needs data: only trees tell what candidates look like",
            where=str(model.path),
            remedy="name data files with --train and --test",
        )
    width, names = (model.n_features, model.feature_names) if model else (None, ())
    question = Question(
        name=_NOT_IN_A_NAME.sub("-", asked.name).strip("-._")[:100] or "my-ranker",
        model=model,
        data=data,
        files=files,
        feature_keys=feature_keys(data, width, names) if data else {},
        sla=sla,
        offered_qps=asked.offered_qps,
        n_candidates=asked.n_candidates or (None if data else 100),
    )
    return draft(question), _found(model, data)


def _data(asked: Begin) -> tuple[DataKeys | None, dict[str, Path]]:
    """How to read the data, and the files of its splits; one file alone is both train and test."""
    train, test = asked.train or asked.test, asked.test or asked.train
    if train is None or test is None:
        if asked.valid or asked.query or asked.grade:
            raise UsageError(
                "--valid, --query and --grade are about data files", remedy="name them with --train, --test"
            )
        return None, {}
    files = {"train": train, **({"valid": asked.valid} if asked.valid else {}), "test": test}
    found = [read_data(path, asked.query, asked.grade) for path in dict.fromkeys(files.values())]
    for path, other in zip(dict.fromkeys(files.values()), found, strict=True):
        if (other.kind, other.columns) != (found[0].kind, found[0].columns):
            raise UsageError(
                f"is not of the kind and columns of {train}", where=str(path), remedy="give splits of one data set"
            )
    return found[0], files


def _checked(sla: Mapping[str, float]) -> dict[str, float]:
    try:
        return Sla.model_validate(sla).objectives if sla else {}
    except ValidationError as error:
        reasons = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".removeprefix(": ") for fault in error.errors()
        )
        raise UsageError(reasons, where="--sla", remedy="`harness explain` lists the objectives") from error


def _found(model: ModelFile | None, data: DataKeys | None) -> str:
    width = f" of {model.n_features} features" if model and model.n_features else ""
    words = [f"a {model.format} model{width}"] if model else ["no model, so one is trained"]
    if data is not None:
        roles = ", ".join(f"{key} {data.keys[key]}" for key in ("query", "grade") if key in data.keys)
        words.append(f"{data.format} data{f' ({roles})' if roles else ''}")
    return " and ".join(words)
