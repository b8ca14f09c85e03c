"""The library a model was trained with: LightGBM, XGBoost, torch (networks and TorchScript), in process.

Its scores define the bundle: they are what other engines are compared with. What a service usually runs, and mostly the
slowest for short lists, for every call goes through checks and copies made for batches. It also has most in memory, the
library itself. Serve it to know what you have now, and compare with `engine: auto`.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from harness.bundle import Bundle
from harness.engines._scorer import LibraryScorer
from harness.errors import EngineError
from harness.protocols import PluginOptions, Scorer
from harness.ranking_data import Features
from harness.records import Manifest

_Predict = Callable[[Features], NDArray[Any]]
_REMEDY = "build the bundle again, or load the user's file again with ranker: file"


class Options(PluginOptions):
    """Keys of the native engine."""

    n_threads: int = Field(default=1, ge=1, le=256, description="threads that score one candidate list")


def refuses(options: Options, manifest: Manifest) -> str:
    """Trees need the file of their own library; ONNX has none."""
    if manifest.format == "trees" and not manifest.source:
        return "the bundle has no LightGBM or XGBoost file of its trees, only a Treelite checkpoint; gtil can score it"
    if manifest.format == "onnx":
        return "an ONNX file has no native library; onnxruntime can score it"
    return ""


def open(options: Options, bundle: Bundle, cache_dir: Path) -> Scorer:
    """Load the bundle into its library. Raises EngineError."""
    if bundle.manifest.format == "mlp":
        from harness.mlp.scorer import open_scorer

        return open_scorer(bundle.artefact, n_threads=options.n_threads)
    name, load = {
        "lightgbm": ("lightgbm", _lightgbm),
        "xgboost": ("xgboost", _xgboost),
        "": ("torch", _torchscript),
    }[bundle.manifest.source]
    library = import_module(name)
    started = time.perf_counter()
    predict, file = load(library, bundle, options.n_threads)
    info = {
        "library": f"{name} {library.__version__}",
        "threads": options.n_threads,
        "float64": bundle.manifest.format == "trees",
        "loaded_bytes": file.stat().st_size,
        "load_s": round(time.perf_counter() - started, 4),
    }
    return LibraryScorer(predict, info)


def _lightgbm(lightgbm: Any, bundle: Bundle, n_threads: int) -> tuple[_Predict, Path]:
    file = bundle.file("model.txt")
    try:
        booster = lightgbm.Booster(model_file=str(file))
    except lightgbm.basic.LightGBMError as error:
        raise EngineError(f"LightGBM can't read it: {error}", where=str(file), remedy=_REMEDY) from error
    _check_width(booster.num_feature(), bundle, file)
    return lambda x: booster.predict(x, raw_score=True, num_threads=n_threads), file


def _xgboost(xgboost: Any, bundle: Bundle, n_threads: int) -> tuple[_Predict, Path]:
    file = bundle.file("model.json")
    try:
        booster = xgboost.Booster(model_file=str(file))
    except xgboost.core.XGBoostError as error:
        reason = str(error).partition("\n")[0]
        raise EngineError(f"XGBoost can't read it: {reason}", where=str(file), remedy=_REMEDY) from error
    _check_width(booster.num_features(), bundle, file)
    booster.set_param({"nthread": n_threads})  # not before loading, for the file brings its own

    def predict(x: Features) -> NDArray[Any]:
        margin: NDArray[Any] = booster.inplace_predict(
            x, predict_type="margin", missing=np.nan, validate_features=False
        )
        return margin

    return predict, file


def _torchscript(torch: Any, bundle: Bundle, n_threads: int) -> tuple[_Predict, Path]:
    torch.set_num_threads(n_threads)
    file = bundle.artefact
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r".*torch\.jit", category=DeprecationWarning)
            module = torch.jit.load(str(file), map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise EngineError(f"torch can't read it: {reason}", where=str(file), remedy=_REMEDY) from error

    def predict(x: Features) -> NDArray[Any]:
        with torch.inference_mode():
            scores: NDArray[Any] = module(torch.from_numpy(x)).numpy()
            return scores

    return predict, file


def _check_width(n_features: int, bundle: Bundle, file: Path) -> None:
    if n_features != bundle.manifest.n_features:
        raise EngineError(
            f"takes {n_features} features, its manifest says {bundle.manifest.n_features}",
            where=str(file),
            remedy=_REMEDY,
        )
