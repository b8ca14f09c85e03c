"""The records that stages write as JSON for the next stage: manifests, ledgers, measurements, verdicts, reports."""

from harness.records.base import (
    COMPRESSED,
    NON_FINITE,
    SCHEMA_VERSION,
    SUBJECTS,
    TARGET,
    TEACHER,
    Facts,
    NdcgSpec,
    Record,
    Versioned,
)
from harness.records.bundles import NOT_MEASURED, FileEntry, LedgerRow, Manifest, ModelSize, QualityDrop
from harness.records.capacities import CapacityPoint, RateTest, TargetCapacity
from harness.records.loads import (
    PRECISE_TIMER,
    Audit,
    LoadInfo,
    MachineLog,
    MachineMeasure,
    Spread,
    TargetInfo,
    TargetMeasure,
)
from harness.records.reports import Calibration, Measurements, RateTried, Report
from harness.records.verdicts import Finding, ObjectiveResult, Verdict, VerdictStatus

__all__ = [
    "COMPRESSED",
    "NON_FINITE",
    "NOT_MEASURED",
    "PRECISE_TIMER",
    "SCHEMA_VERSION",
    "SUBJECTS",
    "TARGET",
    "TEACHER",
    "Audit",
    "Calibration",
    "CapacityPoint",
    "Facts",
    "FileEntry",
    "Finding",
    "LedgerRow",
    "LoadInfo",
    "MachineLog",
    "MachineMeasure",
    "Manifest",
    "Measurements",
    "ModelSize",
    "NdcgSpec",
    "ObjectiveResult",
    "QualityDrop",
    "RateTest",
    "RateTried",
    "Record",
    "Report",
    "Spread",
    "TargetCapacity",
    "TargetInfo",
    "TargetMeasure",
    "Verdict",
    "VerdictStatus",
    "Versioned",
]
