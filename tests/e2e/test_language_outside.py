"""``--lang`` and the environment: what people are told is in their language, what programs read is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.legacy import write_example
from support.native import write_native_run
from support.program import LORASCOPE, run_lorascope
from terminal import OpenTerminal

pytestmark = pytest.mark.e2e

CHINESE = {"LANG": "zh_CN.UTF-8", "LC_ALL": "", "PYTHONUTF8": "1"}
# Writes down which catalogues are opened.
_WATCH = """\
import os, sys
def hook(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".mo"):
        with open(os.environ["OPENED"], "a") as log:
            log.write(str(arguments[0]) + "\\n")
sys.addaudithook(hook)
"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder with two runs of summaries and one with per-frame rows."""
    folder = write_example(tmp_path / "results")
    write_native_run(folder / "native")
    return folder


def test_the_environment_chooses_and_the_option_wins(results: Path) -> None:
    assert "status" in run_lorascope("runs", results).stdout
    assert "状态" in run_lorascope("runs", results, env=CHINESE).stdout
    assert "状态" in run_lorascope("--lang", "zh", "runs", results).stdout
    assert "状态" in run_lorascope("--lang=zh", "runs", results).stdout
    assert "status" in run_lorascope("--lang", "en", "runs", results, env=CHINESE).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--lang", "xx", "runs", "."), "there are no texts in the language 'xx'; take one of: en, zh"),
        (("--lang",), "there are no texts in the language ''; take one of: en, zh"),
        ((".", "--lang=de"), "there are no texts in the language 'de'; take one of: en, zh"),
        (("--lang", "zh", "comparr", "x"), "'comparr' 既不是命令也不是路径；是不是想输入 lorascope compare？"),
        (("--lang", "zh", "nowhere"), "nowhere：没有这个文件或文件夹；请检查路径"),
        (("nowhere", "--lang", "zh", "--plain"), "nowhere：没有这个文件或文件夹；请检查路径"),
        ((".", "--lang", "zh"), "应用界面需要终端；文本输出请用：lorascope runs PATH"),
        (("--", "--lang"), "--lang: no such file or folder; check the path"),
    ],
)
def test_mistakes_are_one_sentence_in_the_language_asked_for(arguments: tuple[str, ...], said: str) -> None:
    done = run_lorascope(*arguments)
    assert (done.stdout, done.stderr) == ("", f"lorascope: {said}\n")
    assert done.returncode in (1, 2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("runs", "."),
        ("compare", "."),
        ("rank", "native", "--objective", "abs_rel"),
        ("trend", ".", "--preset", "stability"),
        ("frames", "native", "checkpoint_2"),
    ],
)
@pytest.mark.parametrize("form", ["json", "csv", "markdown", "latex"])
def test_documents_are_the_same_in_every_language(results: Path, arguments: tuple[str, ...], form: str) -> None:
    english = run_lorascope(*arguments, "--format", form, cwd=results)
    chinese = run_lorascope(*arguments, "--format", form, cwd=results, env=CHINESE)
    assert english.returncode == chinese.returncode == 0, english.stderr
    assert (chinese.stdout, chinese.stderr) == (english.stdout, english.stderr)


def test_a_file_is_the_same_in_every_language(results: Path, tmp_path: Path) -> None:
    files = [tmp_path / "en.md", tmp_path / "zh.md"]
    run_lorascope("compare", results, "--to", files[0])
    run_lorascope("compare", results, "--to", files[1], env=CHINESE)
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(("env", "opened"), [({}, 0), (CHINESE, 1)], ids=["en", "zh"])
def test_english_reads_no_catalogue(results: Path, tmp_path: Path, env: dict[str, str], opened: int) -> None:
    site, log = tmp_path / "site", tmp_path / "opened"
    site.mkdir()
    (site / "sitecustomize.py").write_text(_WATCH)
    done = run_lorascope("compare", results, env={**env, "PYTHONPATH": str(site), "OPENED": str(log)})
    assert done.returncode == 0, done.stderr
    assert len(log.read_text().splitlines() if log.exists() else []) == opened


@pytest.mark.parametrize("before", [True, False], ids=["before", "behind"])
def test_the_app_speaks_the_language_asked_for(open_terminal: OpenTerminal, results: Path, before: bool) -> None:
    terminal = open_terminal(80, 24)
    option = ["--lang", "zh"]
    terminal.start([LORASCOPE, *(option if before else []), results, *([] if before else option)])
    terminal.wait_for("1 Run 列表")
    terminal.send("2")
    terminal.wait_for("综合评分")
    terminal.send("?")
    terminal.wait_for("本界面按键")
    terminal.send("Escape")
    terminal.wait_for(lambda screen: "本界面按键" not in screen)
    terminal.send("q")
    assert terminal.exit_code() == 0


def test_the_app_speaks_the_language_of_the_environment(open_terminal: OpenTerminal, results: Path) -> None:
    terminal = open_terminal(80, 24)
    terminal.start([LORASCOPE, results], env={"LANGUAGE": "zh"})
    terminal.wait_for("1 Run 列表")
    terminal.send("q")
    assert terminal.exit_code() == 0
