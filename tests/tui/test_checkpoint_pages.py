"""What Checkpoint's pages show, without a screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.legacy import rising_run, write_run
from support.native import FRAMES_PER_WINDOW, WINDOWS, abs_rel, write_native_run
from support.results import put
from support.store import metadata, summary

from engine.analysis.worst_frames import FrameOrder
from engine.config import Config
from engine.results import layout
from engine.results.discovery import discover
from engine.results.writer import write_run as write_native
from tui.checkpoint_pages import Content, Pages, Wish, wish_of
from tui.frame_reading import Subject, default_key, frame_keys, other_of, regions_of
from tui.frame_tables import AblationSource, FramesSource, short_drives
from tui.library import Library, Loaded
from tui.slice_table import SlicesSource
from tui.state import ViewState
from tui.widgets.grid_model import GridSource

ERROR = "depth.building.abs_rel"


@pytest.fixture
def native(tmp_path: Path, library: Library) -> Loaded:
    return library.load(next(iter(discover([write_native_run(tmp_path / "native")]))))


def make(library: Library, loaded: Loaded, page: str, **more: object) -> Content:
    options = {"checkpoint": "checkpoint_2", "against": "baseline", "key": ERROR, "region": "building", **more}
    subject = Subject(loaded, *(options[name] for name in ("checkpoint", "against", "key")))  # type: ignore[arg-type]
    order = FrameOrder(str(options.get("order", "worst")))
    wish = Wish(page, subject, str(options["region"]), order, bool(options.get("plain")))
    return Pages(library).make(wish)


def texts(rows: GridSource | None) -> list[list[str]]:
    assert rows is not None
    return [[cell.text for cell in rows.cells(row)] for row in range(rows.row_count)]


def test_frames_worst_first(library: Library, native: Loaded) -> None:
    content = make(library, native, "frames")
    assert isinstance(content.rows, FramesSource)
    rows = texts(content.rows)
    assert len(rows) == WINDOWS * FRAMES_PER_WINDOW
    value, base = (abs_rel(name, 3, 23) + 0.2 for name in ("checkpoint_2", "baseline"))
    assert rows[0] == ["1", "3", "0004", "23", "mixed", f"{value:.4f}", f"{base:.4f}", f"{value - base:+.4f}", "▽", ""]
    assert content.rows.place(0) == ("2013_05_28_drive_0004_sync", 3, 23)
    assert [row[2] for row in rows].count("0003") == 8
    assert "worst first" in content.about


def test_frames_with_pictures_are_marked(library: Library, native: Loaded) -> None:
    rows = texts(make(library, native, "frames").rows)
    assert {(row[1], row[3]) for row in rows if row[-1] == "▣"} == {("0", "12"), ("2", "20")}
    plain = texts(make(library, native, "frames", plain=True).rows)
    assert all(cell.isascii() for row in plain for cell in row)
    assert [row[-1] for row in plain].count("*") == 2


def test_frames_in_other_orders(library: Library, native: Loaded) -> None:
    lost = make(library, native, "frames", order="lost")
    assert [row[1] for row in texts(lost.rows)] == [str(w) for w in (3, 2, 1, 0) for _ in range(FRAMES_PER_WINDOW)]
    apart = make(library, native, "frames", order="difference")
    # 0.1 apart in window 0; 0.05 in windows 1 and 3; equal in window 2.
    assert [row[1] for row in texts(apart.rows)][:4] == ["0"] * 4
    assert [row[1] for row in texts(apart.rows)][-4:] == ["2"] * 4
    assert apart.jumps[0].startswith("2013_05_28_drive_0003_sync/0/")
    assert isinstance(apart.rows, FramesSource)
    assert list(apart.jumps) == [apart.rows.row_key(row) for row in range(apart.rows.row_count)]


def test_nothing_beside_it(library: Library, native: Loaded) -> None:
    content = make(library, native, "frames", against=None, order="lost")
    assert content.rows is not None
    assert [column.key for column in content.rows.columns][-2:] == ["value", "picture"]
    assert "worst first" in content.about
    assert content.jumps == ()
    for page in ("alignments", "slices"):
        rows = make(library, native, page, against=None).rows
        assert rows is not None
        assert "against" not in [column.key for column in rows.columns]
        assert all(len(row) in (1, len(rows.columns)) for row in texts(rows))


def test_windows_of_pose_have_no_frame(library: Library, native: Loaded) -> None:
    rows = texts(make(library, native, "frames", key="pose.ate_trans").rows)
    assert [row[3] for row in rows] == ["–"] * WINDOWS
    slices = make(library, native, "slices", key="pose.ate_trans").rows
    assert texts(slices)[0][:3] == ["all values", str(WINDOWS), str(WINDOWS)]


def test_alignments(library: Library, native: Loaded) -> None:
    content = make(library, native, "alignments")
    assert isinstance(content.rows, AblationSource)
    rows = texts(content.rows)
    assert rows[0] == ["AbsRel · building ↓"]
    assert [row[0] for row in rows[1:5]] == ["none", "scale", "median ●", "scale_shift"]
    assert [row[6] for row in rows[1:5]] == ["", "0", "0", "4"]
    kinds = [content.rows.row_kind(row) for row in range(content.rows.row_count)]
    assert kinds == ["heading", "row", "row", "row", "row"] * 3
    assert "no depth metrics of the region road" in make(library, native, "alignments", region="road").sentence


def test_slices(library: Library, native: Loaded) -> None:
    content = make(library, native, "slices")
    assert isinstance(content.rows, SlicesSource)
    rows = texts(content.rows)
    regions = ("by region", "building", "full")
    assert [row[0] for row in rows] == [
        "all frames",
        "by drive",
        "0003",
        "0004",
        "by stratum",
        "mixed",
        "rich",
        *regions,
    ]
    assert rows[2][1:3] == ["2", "8"]
    # The second checkpoint gains in the first drive and loses in the second one; two windows are too few for a verdict.
    assert (rows[2][-2], rows[3][-2]) == ("△", "▽")
    assert (rows[0][-2], rows[0][-3][0]) == ("≈", "±")


def test_distribution_and_photometric(library: Library, native: Loaded) -> None:
    figure = make(library, native, "distribution").figure
    assert figure is not None
    assert [series.name for series in figure.panels[0].series] == ["checkpoint_2", "baseline"]
    assert figure.panels[0].boxes
    figure = make(library, native, "photometric").figure
    assert figure is not None
    assert [series.name for series in figure.panels[0].series] == ["chance", "oracle", "baseline", "checkpoint_2"]
    assert figure.panels[0].vlines[0].text == "0.05: the score uses this"
    assert "no photometric curve of the region full" in make(library, native, "photometric", region="full").sentence


def test_the_threshold_is_the_runs_own(library: Library, tmp_path: Path) -> None:
    path = write_native_run(tmp_path / "native")
    text = (path / layout.METADATA).read_text("utf-8")
    (path / layout.METADATA).write_text(
        text.replace('"parameters": {}', '"parameters": {"photometric_inlier": 0.1}'), "utf-8"
    )
    loaded = library.load(next(iter(discover([path]))))
    figure = make(library, loaded, "photometric").figure
    assert figure is not None
    assert figure.panels[0].vlines[0].x == 0.1
    without = Library(Config.model_validate({"score": {"weights": {ERROR: 1.0}}}))
    figure = make(without, loaded, "photometric").figure
    assert figure is not None
    assert figure.panels[0].vlines[0].text == "0.1: the inlier ratio uses this"


def test_a_run_of_summaries_shows_what_it_has(library: Library, alpha: Loaded) -> None:
    content = make(library, alpha, "distribution", checkpoint="checkpoint_4")
    assert content.figure is not None
    assert content.figure.panels[0].y_names == ("baseline", "checkpoint_4")
    assert "no per-frame rows" in content.note
    for page in ("frames", "alignments", "slices"):
        said = make(library, alpha, page, checkpoint="checkpoint_4").sentence
        assert said.startswith("alpha has no per-frame rows, only summaries; evaluate")
    assert "no photometric curve" in make(library, alpha, "photometric", checkpoint="checkpoint_4").sentence


def test_a_run_of_means_says_so_and_gives_them(library: Library, tmp_path: Path) -> None:
    table = summary(
        *((name, ERROR, mean, *[None] * 5) for name, mean in (("baseline", 1.7214), ("checkpoint_2", 0.61)))
    )
    write_native(tmp_path / "run", metadata("baseline", "checkpoint_2"), summary=table)
    loaded = library.load(next(iter(discover([tmp_path / "run"]))))
    said = make(library, loaded, "distribution").sentence
    assert "checkpoint_2 0.6100, baseline 1.7214" in said


def test_a_metric_that_is_no_figure_of_frames(library: Library, native: Loaded) -> None:
    said = make(library, native, "frames", key="performance.fps").sentence
    assert said.startswith("performance.fps is one figure for all frames")


def test_strata_that_cannot_be_read_are_missed_aloud(library: Library, native: Loaded) -> None:
    put(native.run.path / layout.WINDOWS, b"damaged")
    content = make(library, native, "frames")
    assert content.note.startswith("strata are not known: native: windows.parquet")
    assert {row[4] for row in texts(content.rows)} == {"–"}


def test_what_is_looked_at(library: Library, native: Loaded, alpha: Loaded) -> None:
    assert default_key(native, library.catalogue, ["", "score"]) == ERROR
    assert default_key(native, library.catalogue, ["pose.ate_trans"]) == "pose.ate_trans"
    assert default_key(native, library.catalogue, ["delta1"]) == "depth.building.delta1"
    assert "score" not in frame_keys(native)
    assert other_of(native, "checkpoint_2") == "baseline"
    assert other_of(native, "checkpoint_2", "checkpoint_1") == "checkpoint_1"
    assert other_of(native, "checkpoint_2", "gone") == "baseline"
    assert other_of(native, "checkpoint_2", "checkpoint_2") == "baseline"
    assert other_of(native, "baseline") is None
    assert regions_of(native) == ["building", "full"]
    state = ViewState(frames_order="sideways", region="moon")
    wish = wish_of(state, "frames", library, native, "checkpoint_1", plain=False)
    assert (wish.order, wish.region, wish.subject.key) == (FrameOrder.WORST, "building", ERROR)
    assert wish == wish_of(state, "frames", library, native, "checkpoint_1", plain=False)
    # Another reading of the same run is another subject.
    again = library.load(native.run.ref)
    assert wish != wish_of(state, "frames", library, again, "checkpoint_1", plain=False)


def test_a_run_without_any_known_metric(library: Library, tmp_path: Path) -> None:
    values = {name: {"my.own.thing.value": 1.0} for name in ("baseline", "checkpoint_1")}
    loaded = library.load(next(iter(discover([write_run(tmp_path / "own", values)]))))
    assert frame_keys(loaded) == ["my.own.thing.value"]
    content = make(library, loaded, "distribution", checkpoint="checkpoint_1", key="my.own.thing.value")
    assert content.figure is not None
    assert regions_of(loaded) == []


def test_legacy_runs_offer_their_metrics(library: Library, tmp_path: Path) -> None:
    loaded = library.load(next(iter(discover([write_run(tmp_path / "run", rising_run())]))))
    assert ERROR in frame_keys(loaded)


@pytest.mark.parametrize(
    ("names", "short"),
    [
        ([], []),
        (["only_one"], ["only_one"]),
        (["2013_05_28_drive_0003_sync", "2013_05_28_drive_0004_sync"], ["0003", "0004"]),
        (["a", "b"], ["a", "b"]),
        (["a_b", "a"], ["a_b", "a"]),
        (["x_1_y", "x_2", "x_3_y"], ["1_y", "2", "3_y"]),
        (["a_a_a", "a_a"], ["a_a", "a"]),
    ],
)
def test_short_drives(names: list[str], short: list[str]) -> None:
    assert short_drives(names) == short
