"""The commented scenario that `harness init` writes."""

from pathlib import Path

TEMPLATE = Path(__file__).with_name("template.yaml").read_text(encoding="utf-8")
"""A valid scenario file in which every block says its units and alternatives."""
