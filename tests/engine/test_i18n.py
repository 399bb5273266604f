"""Which language is spoken, where, and what English costs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import i18n
from engine.catalogue import Catalogue
from engine.errors import UnknownNameError, UsageError
from engine.i18n import (
    activate,
    active,
    gettext,
    language_named,
    language_of,
    listing,
    ngettext,
    pgettext,
    sentences,
    speaking,
)
from engine.results.model import Problem, Severity
from engine.text import counted, listed


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh"}, "zh"),
        ({"LANG": "zh-Hans"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh:en"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": ""}, "zh"),
    ],
)
def test_the_environment_names_the_language(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language


def test_a_language_without_texts_is_refused_in_a_sentence() -> None:
    assert language_named("zh") == "zh"
    with pytest.raises(UsageError) as caught:
        language_named("xx")
    assert str(caught.value) == "there are no texts in the language 'xx'; take one of: en, zh"


def test_what_is_spoken_inside_a_block_is_spoken_there_alone() -> None:
    elsewhere: list[str] = []

    def listen() -> None:
        elsewhere.append(active())

    with speaking("zh"):
        assert (active(), gettext("baseline")) == ("zh", "基线")
        thread = threading.Thread(target=listen)
        thread.start()
        thread.join()
        with speaking("en"):
            assert gettext("baseline") == "baseline"
        assert active() == "zh"
    assert (active(), elsewhere) == ("en", ["en"])
    activate("zh")
    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert elsewhere == ["en", "zh"]


def test_forms_contexts_and_texts_that_no_catalogue_has() -> None:
    assert ngettext("{count} window", "{count} windows", 1) == "{count} window"
    assert pgettext("where a run comes from", "from") == "from"
    assert (listing(["a", "b"]), sentences(["a", "b"])) == ("a, b", "a; b")
    with speaking("zh"):
        assert ngettext("{count} window", "{count} windows", 1) == "{count} 个窗口"
        assert pgettext("where a run comes from", "from") == "来源"
        assert gettext("no text of ours") == "no text of ours"
        assert gettext("") == ""
        assert (listing(["a", "b"]), sentences(["a", "b"])) == ("a、b", "a；b")


def test_what_is_counted_and_listed() -> None:
    assert (counted(1, "window"), counted(2, "window"), counted(2, "spoon")) == ("1 window", "2 windows", "2 spoons")
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    with speaking("zh"):
        assert counted(2, "checkpoint") == "2 个 checkpoint"
        assert listed(["a", "b", "c", "d", "e"]) == "a、b、c等，另有 2 个"


def test_metrics_are_shown_in_the_language_and_stay_english_as_data() -> None:
    metric = Catalogue().get("normals.building.angular_mean")
    assert (metric.shown, metric.heading, metric.title) == ("normal mean", "normal mean °", "normal mean ° · building")
    assert metric.family == "normals · building"
    with speaking("zh"):
        assert (metric.label, metric.region, metric.group.value) == ("normal mean", "building", "normals")
        assert (metric.heading, metric.title, metric.family) == ("法线均值 °", "法线均值 ° · 建筑", "法线 · 建筑")
        own = Catalogue().get("depth.facade.abs_rel")
        assert own.title == "AbsRel · facade"


def test_errors_and_problems_are_told_in_the_language() -> None:
    problem = Problem(Severity.ERROR, "a.csv", "the file is empty", "header", "name them")
    assert str(problem) == "a.csv (header): the file is empty; name them"
    with speaking("zh"):
        assert str(problem) == "a.csv (表头): 文件为空；请为其命名"
        error = UnknownNameError("metric", "absrel", ["abs_rel"], "--where")
        assert str(error) == "--where：未知的指标 'absrel'；是不是想输入 abs_rel？"


@pytest.fixture
def no_catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Catalogues lie nowhere."""
    monkeypatch.setattr(i18n, "LOCALE", tmp_path)
    i18n.translations.cache_clear()
    yield
    i18n.translations.cache_clear()


@pytest.mark.usefixtures("no_catalogues")
def test_english_needs_no_catalogue() -> None:
    assert gettext("baseline") == "baseline"
    assert pgettext("between two statements", "; ") == "; "
    assert ngettext("{count} run", "{count} runs", 2) == "{count} runs"
    with speaking("zh"), pytest.raises(FileNotFoundError):
        gettext("baseline")
