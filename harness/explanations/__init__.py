"""What the names in a report and a scenario mean: findings, objectives, verdicts and plug-ins, a few paragraphs each.

Texts are Markdown with nothing but `code`. Those of plug-ins are their docstrings and the descriptions of their keys;
those of findings, objectives and verdicts stand in the Markdown files beside this one.
"""

from harness.explanations.names import KINDS, Explanation, Kind, explain, finding, named, names, objective

__all__ = ["KINDS", "Explanation", "Kind", "explain", "finding", "named", "names", "objective"]
