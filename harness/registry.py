"""Folder + file name -> plug-in. Lists without importing; imports only what is chosen."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, cast

from harness.errors import UsageError, did_you_mean
from harness.protocols import (
    Adapter,
    Dataset,
    Engine,
    Exporter,
    Extract,
    Method,
    PluginOptions,
    Ranker,
    ReportFormat,
    Sink,
)

Kind = Literal["datasets", "rankers", "methods", "engines", "adapters", "formats", "extracts", "exporters", "sinks"]
ROOMS: dict[Kind, str] = {
    "datasets": "datasets",
    "rankers": "rankers",
    "methods": "compress",
    "engines": "engines",
    "adapters": "adapters",
    "formats": "report",
    "extracts": "extracts",
    "exporters": "export",
    "sinks": "sinks",
}
_PACKAGE = Path(__file__).parent


def names(kind: Kind) -> list[str]:
    """Keys of all plug-ins of a kind: files and folders of its room that do not begin with an underscore."""
    return sorted(
        path.stem
        for path in (_PACKAGE / ROOMS[kind]).iterdir()
        if not path.name.startswith(("_", ".")) and (path.suffix == ".py" or (path / "__init__.py").is_file())
    )


def docstring(kind: Kind, name: str) -> str:
    """What a plug-in says of itself, read without importing it."""
    base = _PACKAGE / ROOMS[kind]
    path = base / name / "__init__.py" if (base / name).is_dir() else base / f"{name}.py"
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def summary(kind: Kind, name: str) -> str:
    """First line of a plug-in's docstring."""
    return docstring(kind, name).partition("\n")[0]


def _load(kind: Kind, name: str) -> ModuleType:
    if name not in names(kind):
        what = f"no {kind.removesuffix('s')} {name!r}{did_you_mean(name, names(kind))}"
        raise UsageError(what, remedy=f"`harness list {kind}` says what each is")
    return importlib.import_module(f"harness.{ROOMS[kind]}.{name}")


def dataset(name: str) -> Dataset:
    """The dataset plug-in of that name; UsageError with the near miss otherwise."""
    return cast(Dataset, _load("datasets", name))


def ranker(name: str) -> Ranker:
    """The ranker plug-in of that name."""
    return cast(Ranker, _load("rankers", name))


def method(name: str) -> Method:
    """The compression method of that name."""
    return cast(Method, _load("methods", name))


def engine(name: str) -> Engine:
    """The engine of that name."""
    return cast(Engine, _load("engines", name))


def adapter(name: str) -> Adapter:
    """The adapter of that name."""
    return cast(Adapter, _load("adapters", name))


def report_format(name: str) -> ReportFormat:
    """The report format of that name."""
    return cast(ReportFormat, _load("formats", name))


def extract(name: str) -> Extract:
    """The extract of that name."""
    return cast(Extract, _load("extracts", name))


def exporter(name: str) -> Exporter:
    """The exporter of that name."""
    return cast(Exporter, _load("exporters", name))


def sink(name: str) -> Sink:
    """The tracker of that name."""
    return cast(Sink, _load("sinks", name))


def options_model(kind: Kind, name: str) -> type[PluginOptions]:
    """The model of the keys that a scenario may set for a plug-in."""
    return cast(Any, _load(kind, name)).Options  # type: ignore[no-any-return]


def has_options(kind: Kind) -> bool:
    """Whether a scenario can name plug-ins of this kind, so that they have keys."""
    return kind not in ("formats", "extracts", "exporters", "sinks")
