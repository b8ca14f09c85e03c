"""Several runs together: what holds for all of them at once, and which recipes no other beats."""

from harness.suite.front import Front, FrontPoint, LeftOut, fronts
from harness.suite.quality import QualityTest, quality_tests
from harness.suite.suite import Suite, suite_of

__all__ = ["Front", "FrontPoint", "LeftOut", "QualityTest", "Suite", "fronts", "quality_tests", "suite_of"]
