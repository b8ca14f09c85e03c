"""What the audit of the answers means for the verdict: a fast wrong answer is no answer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.records import SUBJECTS, TARGET, Audit, Finding
from harness.samples import Samples

MOST_REPEATS = 4


def find_in_answers(audit: Audit) -> Iterator[Finding]:
    """Findings of one target's answers; wrong ones of the target that is judged make the run a FAIL."""
    if audit.n_wrong:
        yield Finding(
            name="wrong-answers",
            message=f"{audit.target}: {audit.n_wrong:,} of {audit.n_checked:,} answers are wrong: {_listed(audit)}; "
            f"the first: {audit.example}",
            remedy="compare the endpoint's model, features and output with what is asked; its speed counts for nothing",
            fails=audit.target in SUBJECTS,
            target=audit.target,
        )
    if audit.n_redirected:
        yield Finding(
            name="redirected",
            message=f"{audit.target}: {audit.n_redirected:,} requests got a redirect, which is not followed",
            remedy="name the address it leads to in target.url, if you may load that host",
            target=audit.target,
        )
    if audit.n_not_kept:
        yield Finding(
            name="answers-not-kept",
            message=f"{audit.target}: {audit.n_not_kept:,} of {audit.n_answers:,} answers were not kept to audit",
            remedy="shorten the run, or have the endpoint leave out of its answers what differs each time",
            target=audit.target,
        )


def repeated_requests(samples: Samples) -> Iterator[Finding]:
    """An endpoint that is not ours may keep answers: then requests that come again and again measure its cache."""
    if TARGET not in samples.targets:
        return
    judged = samples.judged(TARGET)
    repeats = len(judged) / max(np.unique(judged.body).size, 1)
    if repeats > MOST_REPEATS:
        yield Finding(
            name="repeated-requests",
            message="each request body was sent several times: what was measured may be a cache of answers",
            remedy="raise traffic.n_bodies, unless your users' requests repeat as often",
            target=TARGET,
            figure=repeats,
            threshold=MOST_REPEATS,
            unit="times",
        )


def _listed(audit: Audit) -> str:
    differ = f"differ from the offline scores (by up to {audit.largest_difference:.3g} of the largest score"
    faults = (
        (audit.n_malformed, "hold no ranking"),
        (audit.n_wrong_length, "have the wrong length"),
        (audit.n_not_finite, "have scores that are not finite"),
        (audit.n_not_a_permutation, "do not name each candidate once"),
        (audit.n_different, f"{differ}, tolerance {audit.tolerance or 0:.3g})"),
    )
    return ", ".join(f"{count:,} {fault}" for count, fault in faults if count)
