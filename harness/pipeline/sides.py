"""Which sides a scenario load-tests: the compressed ranker, and the uncompressed teacher beside it."""

from __future__ import annotations

from harness.bundle import Bundle
from harness.pipeline.members import Served
from harness.records import COMPRESSED, TEACHER
from harness.scenario import Choice, Scenario
from harness.scoring import reference_engine


def sides(scenario: Scenario, teacher: Bundle, compressed: Bundle) -> list[Served]:
    """The compressed ranker, and beside it the teacher unless that would be the same thing."""
    subject = Served(COMPRESSED, compressed, scenario.engine)
    baseline = Served(TEACHER, teacher, Choice(kind=reference_engine(teacher.manifest)))
    same = baseline.bundle.manifest.digest == compressed.manifest.digest and baseline.engine == subject.engine
    return [subject] if same or not scenario.traffic.teacher else [baseline, subject]
