"""The fastest exact engine for the bundle, chosen by a short bench at the scenario's own list lengths.

A word for a scenario, not an engine: whoever serves the bundle chooses first (`harness.pipeline.auto_engine`), writes
the chosen engine into the resolved scenario, and says why in a finding.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from harness.bundle import Bundle
from harness.errors import EngineError
from harness.protocols import PluginOptions, Scorer
from harness.records import Manifest

_UNSETTLED = "stands for the fastest exact engine, which is chosen before a bundle is opened"


class Options(PluginOptions):
    """Keys of the auto engine."""

    compile_limit_s: float = Field(
        default=60.0, gt=0, le=7200, description="an engine that takes longer to load or compile is not considered"
    )


def refuses(options: Options, manifest: Manifest) -> str:
    """Any bundle, for it scores none."""
    return _UNSETTLED


def open(options: Options, bundle: Bundle, cache_dir: Path) -> Scorer:
    """Nothing can be opened. Raises EngineError."""
    raise EngineError(_UNSETTLED, where="engine auto", remedy="name an engine (`harness list engines`)")
