"""``lorascope report``."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.commands import Command
from support.legacy import rising_run, write_hostile, write_run
from support.native import write_native_run

SAMPLES = Path(__file__).resolve().parents[3] / "sample_results"

SECTIONS = {
    "en": [
        "Summary",
        "Baseline and best checkpoint",
        "The runs beside each other",
        "Training",
        "Stability",
        "Cost",
        "Trade-offs",
        "Advice",
        "Comparability",
        "What the metrics can tell",
        "How to reproduce it",
    ],
    "zh": [
        "结论摘要（TL;DR）",
        "关键指标：基线 → 最佳 checkpoint",
        "各 run 横向对比",
        "训练过程与趋势",
        "稳定性",
        "资源与效率",
        "取舍",
        "建议",
        "可比性",
        "指标能说明什么",
        "如何复现",
    ],
}


def parsed(path: Path) -> ElementTree.Element:
    return ElementTree.fromstring(path.read_text("utf-8").removeprefix("<!DOCTYPE html>\n"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_markdown_on_stdout_has_every_section(lorascope: Command, results: Path, language: str) -> None:
    done = lorascope("report", results, "--lang", language)
    assert done.code == 0
    assert [line[3:] for line in done.lines if line.startswith("## ")] == SECTIONS[language]
    assert done.lines[0].startswith("# ") and done.out.endswith("\n")
    assert "**checkpoint_4**" in done.out and "**checkpoint_2**" in done.out
    assert lorascope("report", results, "--lang", language, "--to", "-").out == done.out


def test_the_environment_s_language_is_the_default(
    lorascope: Command, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert lorascope("report", results).lines[0] == "# LoRA 微调评估报告"
    assert lorascope("report", results, "--lang", "en").lines[0] == "# LoRA fine-tuning: evaluation report"
    monkeypatch.setenv("LANG", "C")
    assert lorascope("report", results).lines[0] == "# LoRA fine-tuning: evaluation report"


def test_files_of_both_forms(lorascope: Command, results: Path, tmp_path: Path) -> None:
    page, text = tmp_path / "report.html", tmp_path / "report.md"
    done = lorascope("report", results, "--lang", "en", "--to", page)
    assert (done.code, done.out) == (0, "") and f"wrote {page}" in done.err
    root = parsed(page)
    assert [element.text for element in root.iter("h2")] == SECTIONS["en"]
    assert [element for element in root.iter() if element.tag.endswith("}svg")]
    assert lorascope("report", results, "--lang", "en", "--to", text).code == 0
    assert text.read_text("utf-8") == lorascope("report", results, "--lang", "en").out
    assert lorascope("report", results, "--lang", "en", "--format", "html").out == page.read_text("utf-8")
    odd = tmp_path / "report.txt"
    assert lorascope("report", results, "--format", "markdown", "--lang", "en", "--to", odd).code == 0
    assert odd.read_text("utf-8") == text.read_text("utf-8")
    assert not list(tmp_path.glob("*.tmp"))


def test_a_report_is_the_same_whenever_it_is_written(lorascope: Command) -> None:
    runs = (SAMPLES / "street_soft", "--format", "html", "--lang", "zh")
    first = lorascope("report", *runs)
    assert first.code == 0
    assert lorascope("report", *runs).out == first.out


def test_what_stands_there_is_only_replaced_by_force(lorascope: Command, results: Path, tmp_path: Path) -> None:
    to = tmp_path / "report.md"
    to.write_text("mine", "utf-8")
    lorascope("report", results, "--to", to).failed(1, "report.md: exists already", "--force")
    assert to.read_text("utf-8") == "mine"
    assert lorascope("report", results, "--to", to, "--force").code == 0
    assert to.read_text("utf-8").startswith("# ")


def test_refusals_are_one_sentence(lorascope: Command, results: Path, tmp_path: Path) -> None:
    lorascope("report").failed(2, "RUN")
    lorascope("report", tmp_path / "none").failed(1, "none")
    lorascope("report", results, "--to", tmp_path / "report.pdf").failed(2, "Markdown or HTML", ".html")
    lorascope("report", results, "--to", tmp_path / "no" / "report.md").failed(1, "its folder does not exist")
    (tmp_path / "folder.md").mkdir()
    lorascope("report", results, "--to", tmp_path / "folder.md").failed(1, "is a folder")
    lorascope("report", results, "--lang", "xx").failed(2, "'xx'", "en", "zh")
    lorascope("report", results, "--where", "delta1 >=").failed(2, "--where")
    lorascope("report", results, "--where", "detla1 > 0").failed(2, "unknown metric", "did you mean delta1")
    lorascope("report", results, "--run", "gamma").failed(2, "unknown run 'gamma'")
    lorascope("report", results, "--baseline", "checkpoint_99").failed(2, "checkpoint_99")


def test_only_the_runs_that_are_named_and_another_baseline(lorascope: Command, results: Path) -> None:
    text = lorascope("report", results, "--run", "beta", "--baseline", "checkpoint_0", "--lang", "en").out
    assert "This report is about **beta**" in text and "**alpha**" not in text
    assert "## The runs beside each other" not in text
    assert "baseline and checkpoint_2" in text


def test_the_limits_choose_the_cheapest(lorascope: Command, results: Path) -> None:
    text = lorascope("report", results / "alpha", "--where", "delta1 > 0.9", "--lang", "en").out
    assert "cheapest within the limits: no advice, no checkpoint meets the limits." in text
    assert "--where 'delta1 > 0.9'" in text


def test_names_are_literal_in_both_forms(lorascope: Command, tmp_path: Path) -> None:
    run = write_hostile(tmp_path)
    text = lorascope("report", run, "--lang", "en").out
    assert "\x1b" not in text and "\u202e" not in text and "hostile\\[red\\]run" in text
    to = tmp_path / "report.html"
    assert lorascope("report", run, "--lang", "en", "--to", to).code == 0
    shown = " ".join("".join(element.itertext()) for element in parsed(to).iter())
    assert "hostile[red]run" in shown and "x_<U+202E>11" in shown and "\u202e" not in shown


def test_a_run_of_frames_is_judged_in_pairs(lorascope: Command, tmp_path: Path) -> None:
    write_native_run(tmp_path / "native")
    text = lorascope("report", tmp_path / "native", "--lang", "en").out
    assert "paired on" in text and "there is no composite score" in text
    assert "The later checkpoint is not shown to be better than the first, checkpoint_1." in text


def test_what_could_not_be_read_is_said(lorascope: Command, results: Path) -> None:
    broken = results / "gamma"
    broken.mkdir()
    (broken / "baseline_metrics.json").write_text("{", "utf-8")
    done = lorascope("report", results, "--lang", "en")
    assert done.code == 0 and "gamma is left out" in done.err and "gamma is left out" in done.out


def test_runs_without_baseline_or_with_one_checkpoint(lorascope: Command, tmp_path: Path) -> None:
    values = rising_run(4, best=2)
    write_run(tmp_path / "bare", {name: own for name, own in values.items() if name != "baseline"})
    write_run(tmp_path / "single", {name: values[name] for name in ("baseline", "checkpoint_2")})
    for name in ("bare", "single"):
        for form in ("markdown", "html"):
            assert lorascope("report", tmp_path / name, "--format", form, "--lang", "zh").code == 0
    text = lorascope("report", tmp_path / "single", "--lang", "en").out
    assert "single has one checkpoint, checkpoint_2: there is nothing to choose." in text
    assert "Every run has a single checkpoint: there is no course to show." in text


def test_the_samples_show_all_of_it(lorascope: Command) -> None:
    """Runs of one sample are compared as one; evaluated by the program, they come with the command that does it."""
    text = lorascope("report", SAMPLES / "street_soft", SAMPLES / "street_aggressive", "--lang", "en").out
    assert "values may be compared" in text and "the scale from chance (0 %) to the truth (100 %)" in text
    assert "all runs together: what to take." in text and "street_aggressive/checkpoint_" in text
    assert "lorascope evaluate --data street" in text and "b15b92f432fd501562cb244d01fced0a" in text
    assert "learning rate 0.01 to 0.002 and alpha 32 to 16" in text
    published = lorascope("report", SAMPLES / "published", "--lang", "en").out
    assert "none: no spreads are recorded" in published
    assert "(baseline 0.2640, +30.9 %: cannot be judged)" in published
