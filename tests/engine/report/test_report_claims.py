"""No sentence says better or worse without a verdict in the evidence, in either language."""

from __future__ import annotations

import re

import polars as pl
import pytest
from support.reporting import (
    AR,
    CATALOGUE,
    D1,
    LATENCY,
    N30,
    PH,
    PL,
    joint_sums,
    paired_run,
    report_of,
    simulated,
    summary_run,
)

from engine.analysis.deltas import Verdict
from engine.analysis.evidence import Evidence
from engine.analysis.paired import paired_differences
from engine.analysis.purposes import Purpose
from engine.analysis.separation import seen_from, with_objective
from engine.catalogue import SCORE_KEY
from engine.i18n import Language
from engine.report.compose import compose
from engine.report.document import Claim, Document, Line
from engine.report.facts import ReportFacts, RunFacts, find_facts
from engine.report.material import Material

SAYS = {
    "en": re.compile(
        r"\b(better|worse|improv\w*|gain\w*|ahead|outperform\w*|superior|inferior|smaller)\b", re.IGNORECASE
    ),
    "zh": re.compile("更好|更差|优于|劣于|变好|变差|提升|改善|领先|增益|小于"),
}
DENIES = {
    "en": re.compile(r"\b(no|not|none|cannot|nothing|without|direction only)\b", re.IGNORECASE),
    "zh": re.compile("未|没有|无|仅"),
}
BASE = {D1: 0.40, AR: 0.60, N30: 0.12, PL: 0.14, PH: 0.65}


def training(seed: int, *, noise: float, drift: float) -> dict[str, dict[str, float]]:
    """A baseline and checkpoints that gain depth and lose photometric consistency, more and more."""
    return {"baseline": BASE} | {
        f"checkpoint_{index}": BASE
        | {
            D1: BASE[D1] + drift * (index - 1) + (0.1 if index > 3 else -0.1),
            AR: BASE[AR] - drift * index,
            PH: BASE[PH] - drift * index,
            N30: BASE[N30] + noise * seed / 100,
        }
        for index in range(8)
    }


def two_runs(seed: int) -> Material:
    runs = [
        paired_run(
            label,
            simulated(training(seed, noise=0.01, drift=drift), noise=0.02, windows=24, seed=seed),
            costs={f"checkpoint_{index}": {LATENCY: 0.5 + 0.1 * (index % 3)} for index in range(8)},
        )
        for label, drift in (("first", 0.02), ("second", 0.005))
    ]
    return report_of(*runs, joint=joint_sums(*runs), limits="delta1 > 0.4")


def summaries(seed: int) -> Material:
    runs = [
        summary_run(
            label,
            training(seed, noise=0.02, drift=drift),
            std=0.15 + 0.1 * seed,
            count={"baseline": 3000} | {f"checkpoint_{index}": 3000 + index for index in range(8)},
            protocol="compat",
            costs={"baseline": {LATENCY: 0.5}, "checkpoint_7": {LATENCY: 1.0}},
        )
        for label, drift in (("first", 0.02), ("second", 0.01))
    ]
    return report_of(*runs)


def bare(seed: int) -> Material:
    return report_of(summary_run("only", training(seed, noise=0.01, drift=0.02), std=None, count=None))


def noise_alone(seed: int) -> Material:
    made = {"baseline": BASE} | {f"checkpoint_{index}": BASE for index in range(6)}
    return report_of(paired_run("noise", simulated(made, noise=0.05, windows=20, seed=seed)))


MATERIALS = [two_runs(1), two_runs(2), summaries(0), summaries(2), bare(0), noise_alone(3), noise_alone(4)]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    "material", MATERIALS, ids=["paired", "paired2", "summary", "vague", "bare", "noise", "noise2"]
)
def test_every_word_of_judgement_is_backed(material: Material, language: Language) -> None:
    facts = find_facts(material)
    document = compose(facts, language)
    stated = 0
    for line in document.lines():
        for claim in line.claims:
            assert holds(facts, claim), (claim, line.text)
        stated += len(line.claims)
        if line.legend or not SAYS[language].search(line.text):
            continue
        assert line.claims or line.denies, line.text
        if not line.claims:
            assert DENIES[language].search(line.text), line.text
    has_verdicts = any(cell.verdict is not None for run in facts.runs for cell in run.changes.values())
    assert bool(stated) is has_verdicts


def holds(facts: ReportFacts, claim: Claim) -> bool:
    """Whether the evidence says what the claim says, asked anew."""
    labels = {run.label: run for run in facts.runs}
    if claim.checkpoint in labels:
        rows = [one for row in facts.gains if row.metric == claim.metric for one in row.differences]
        return any(
            one.ahead == claim.checkpoint and {one.first.run, one.second.run} == {claim.checkpoint, claim.against}
            for one in rows
        )
    if claim.run is None:
        assert facts.joined is not None and facts.advice is not None
        return _in(facts.joined.evidence, claim) or _gap(facts.advice.picks, claim)
    run = labels[claim.run]
    return _in(run.material.evidence, claim) or _gap(run.advice.picks, claim) or _jump(run, claim) or _slice(run, claim)


def _in(evidence: Evidence, claim: Claim) -> bool:
    if claim.metric.startswith("std:"):
        statistics, key = evidence.statistics, claim.metric.partition(":")[2]
        assert statistics is not None
        rows = paired_differences(
            statistics,
            baseline=claim.against,
            checkpoints=[claim.checkpoint],
            catalogue=CATALOGUE,
            metrics=[key],
            spread=True,
        )
        return rows["verdict"].to_list() == [claim.verdict]
    if claim.metric.startswith(f"{SCORE_KEY}:"):
        purpose = Purpose(claim.metric.partition(":")[2])
        keys = {Purpose.DEPTH: {D1: 0.6, AR: 0.4}, Purpose.GEOMETRY: {N30: 4 / 7, PL: 3 / 7}}[purpose]
        return _verdict(with_objective(evidence, keys), SCORE_KEY, claim.checkpoint) == claim.verdict
    if ":" in claim.metric:
        return False
    if not claim.against:
        return _verdict(evidence, claim.metric, claim.checkpoint) == claim.verdict
    names = list(evidence.checkpoints)
    later = names[names.index(claim.against) + 1 :] if claim.against in names else []
    return _verdict(seen_from(evidence, claim.against, later), claim.metric, claim.checkpoint) == claim.verdict


def _verdict(evidence: Evidence, key: str, name: str) -> str | None:
    rows = evidence.differences([key]).filter(pl.col("checkpoint") == name)
    return None if rows.is_empty() else rows["verdict"][0]


def _gap(picks: object, claim: Claim) -> bool:
    return claim.verdict is Verdict.WORSE and any(
        pick.checkpoint == claim.checkpoint
        and any(one.metric == claim.metric and one.leader == claim.against and one.told for one in pick.behind)
        for pick in picks  # type: ignore[attr-defined]
    )


def _jump(run: RunFacts, claim: Claim) -> bool:
    course = run.courses.get(claim.metric)
    return course is not None and any(
        (one.jump.from_checkpoint, one.jump.to_checkpoint, one.verdict)
        == (claim.against, claim.checkpoint, claim.verdict)
        for one in course.jumps
    )


def _slice(run: RunFacts, claim: Claim) -> bool:
    by, _, rest = claim.metric.partition(":")
    name, _, key = rest.partition(":")
    rows = run.slices.filter((pl.col("by") == by) & (pl.col("slice") == name) & (pl.col("of") == key))
    return rows["verdict"].to_list() == [claim.verdict]


def test_a_false_claim_would_be_noticed() -> None:
    facts = find_facts(MATERIALS[2])
    run = facts.runs[0]
    true = next(line.claims[0] for line in compose(facts, "en").lines() if line.claims)
    assert holds(facts, true)
    other = Verdict.WORSE if true.verdict is Verdict.BETTER else Verdict.BETTER
    assert not holds(facts, Claim(true.run, true.metric, true.checkpoint, true.against, other))
    assert not holds(facts, Claim(run.label, N30, run.best or "", "", Verdict.BETTER))


def test_noise_alone_is_called_nothing_but_noise() -> None:
    for seed in (3, 5, 7):
        facts = find_facts(noise_alone(seed))
        verdicts = {cell.verdict for cell in facts.runs[0].changes.values()}
        assert verdicts <= {Verdict.TIED}, seed
        text = "\n".join(line.text for line in compose(facts, "en").lines())
        assert "None of the 5 later checkpoints is shown to be better than the first" in text


def test_both_languages_state_the_same() -> None:
    for material in (MATERIALS[0], MATERIALS[2], MATERIALS[4]):
        facts = find_facts(material)
        said = [[line.claims for line in _stated(compose(facts, language))] for language in ("en", "zh")]  # type: ignore[arg-type]
        assert said[0] == said[1]


def _stated(document: Document) -> list[Line]:
    return [line for line in document.lines() if line.claims]
