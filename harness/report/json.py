"""JSON for machines: the whole report, versioned, with a published schema.

What a dashboard or a script reads: scenario, environment, measures, verdict with its objectives and findings, ledger.
Old versions stay readable. Numbers that JSON has no word for (NaN, infinity) are written as text.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema, from_json, to_json

from harness.records import NON_FINITE, Report
from harness.samples import Samples
from harness.studies import Study
from harness.suite import suite_of

SUFFIX = "result.json"


def render(report: Report, samples: Samples | None) -> str:
    """The report as one line of strict JSON; `Report.model_validate_json` gives the same report back."""
    return report.model_dump_json()


def render_suite(reports: list[Report]) -> str:
    """All reports as one `Suite`, with its fronts."""
    return suite_of(reports).model_dump_json()


def render_study(study: Study) -> str:
    """The study as one line of strict JSON; its `kind` says which record reads it back."""
    return study.model_dump_json()


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what `render` writes."""
    schema = TypeAdapter(Report).json_schema(schema_generator=_StrictJson, mode="serialization")
    return {"$schema": _StrictJson.schema_dialect, **schema}


class _StrictJson(GenerateJsonSchema):
    """A float is a number, or one of the strings that stand for NaN and the infinities."""

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        return {"anyOf": [super().float_schema(schema), {"enum": list(NON_FINITE)}]}

    def encode_default(self, dft: Any) -> Any:
        return from_json(to_json(super().encode_default(dft), inf_nan_mode="strings"))
