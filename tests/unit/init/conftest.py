"""A user's files: the small data in every format that is read, and models trained on it."""

import warnings

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def data_file(splits, tmp_path, monkeypatch):
    """`data_file("train", "csv")`: a split as a file of the working directory, named after it."""
    monkeypatch.chdir(tmp_path)

    def write(name, suffix, query="qid", grade="label", **more):
        split = getattr(splits, name)
        path = tmp_path / f"{name}.{suffix}"
        queries = np.repeat(np.arange(split.n_groups), split.group_sizes)
        if suffix == "svm":
            rows = zip(queries, split.grades, np.nan_to_num(split.features), strict=True)
            lines = (f"{g} qid:{q} {' '.join(f'{i}:{v:.4f}' for i, v in enumerate(x, 1))}" for q, g, x in rows)
            path.write_text("\n".join(lines) + "\n")
            return path.name
        columns = {query: queries, grade: split.grades, **more}
        frame = pd.DataFrame(columns | {f"f{i}": split.features[:, i] for i in range(split.n_features)})
        if suffix == "parquet":
            frame.to_parquet(path, index=False)
        else:
            frame.to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
        return path.name

    return write


@pytest.fixture
def model_file(teacher, tmp_path):
    """`model_file("lightgbm")`: a file of the working directory as its own library writes it."""

    def write(kind):
        match kind:
            case "lightgbm":
                name, content = "model.txt", teacher("lightgbm").file("model.txt").read_bytes()
            case "xgboost":
                name, content = "model.json", teacher("xgboost").file("model.json").read_bytes()
            case "torchscript":
                import torch

                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)
                    torch.jit.script(torch.nn.Linear(12, 1)).save(str(tmp_path / "model.pt"))
                return "model.pt"
            case "onnx":
                from harness.engines._onnx_graph import graph_of

                name, content = "model.onnx", graph_of(teacher("mlp"))
        (tmp_path / name).write_bytes(content)
        return name

    return write
