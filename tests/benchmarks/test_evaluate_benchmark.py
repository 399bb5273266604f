"""The benchmark of evaluations runs, says everything that it should, and would notice a wrong result."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

torch = pytest.importorskip("torch", reason="evaluating needs the extra `eval`")

from benchmarks import evaluate  # noqa: E402
from benchmarks.evaluate_count import Counted, count  # noqa: E402
from benchmarks.evaluate_model import SCALED, VGGT_SHARES, make_target, run_suffix, run_trunk  # noqa: E402
from benchmarks.evaluate_runs import RunTimes, differences  # noqa: E402
from benchmarks.evaluate_table import Measured, target_lines  # noqa: E402
from benchmarks.evaluate_work import WORK  # noqa: E402
from engine.inference.tiny import TinyConfig, TinyNetwork  # noqa: E402

NAMES = ("baseline", "checkpoint_1", "checkpoint_2")
SMALL = TinyConfig(embed_dim=16, depth=3, heads=2, patch=8, features=8, registers=1, width=32, encoder_depth=2)


@dataclass(frozen=True)
class Quick:
    """A quick run: exit code, what it printed, its JSON, and where it worked."""

    code: int
    printed: str
    document: dict[str, Any]
    scratch: Path


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Quick:
    scratch = tmp_path_factory.mktemp("benchmark")
    file = scratch / "figures.json"
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = evaluate.main(["--quick", "--scratch", str(scratch), "--json", str(file), "--naive-sample", "2"])
    return Quick(code, out.getvalue(), json.loads(file.read_text("utf-8")), scratch)


def slices_of_a_model(quick: Quick, target: str) -> int:
    return pl.read_parquet(quick.scratch / target / "unshared" / "slices" / "baseline" / "*.parquet").height


def test_all_ways_give_the_same_rows(quick: Quick) -> None:
    assert quick.code == 0
    for name in evaluate.TARGETS:
        found = quick.document["targets"][name]
        assert found["different"] == {"unshared": [], "naive": []}
        assert found["goals"]["identical results"] is True
        # 4 alignments x 8 frames x 3 regions and a pose, and the slices, of every model and two pseudo-checkpoints; and
        # the curves.
        rows = 97 + slices_of_a_model(quick, name)
        assert rows > 97 + 8 * 3 * 2
        assert found["compared"]["unshared"] >= 5 * rows > found["compared"]["naive"] - 20 * 3 * 4 >= 4 * rows


def test_the_table_has_every_line(quick: Quick) -> None:
    _, *tables = quick.printed.split("\n== ")
    assert [table.split(":")[0] for table in tables] == list(evaluate.TARGETS)
    for table in tables:
        starts = [
            *(f"  {name}" for name in WORK),
            *("unavoidable work", "shared run", "unshared run", "naive run, 2 of 3 models, multiplied"),
            *("loading the models", "counted:", "counted saving", "  one window alone", "  within the runs"),
            *("  trunk and suffixes timed apart", "whole run, unshared / shared", "naive / shared", "kept to share"),
            *("shared and unshared run:", "shared and naive run:"),
        ]
        for start in starts:
            assert any(line.startswith(start) for line in table.splitlines()), start
        assert sum(line.startswith(("ok ", "MISSED ")) for line in table.splitlines()) == 4
    assert f"torch {torch.__version__} with 1 threads" in quick.printed
    for part in ("encoder", "frame blocks", "global blocks", "depth head", "camera head", "both heads", "all"):
        assert f"\n{part} " in quick.printed


def test_figures_for_programs(quick: Quick) -> None:
    found = quick.document["targets"]["head-only"]
    assert set(found["work"][0]) == set(WORK)
    assert min(found["work"][0].values()) > 0
    assert found["naive_models"] == 2
    assert found["shared"][0]["sharing"]["reused"] > 0 == len(found["unshared"][0]["sharing"])
    for run in (*found["shared"], *found["unshared"]):
        assert 0 < run["predicting"] < run["total"]
        assert run["loading"] > 0
    assert quick.document["machine"]["threads"] == 1


def test_a_changed_value_is_found(quick: Quick, tmp_path: Path) -> None:
    shared, unshared = (quick.scratch / "head-only" / name for name in ("shared_0", "unshared"))
    assert differences(shared, unshared, NAMES)[0] == []
    file = next((unshared / "frames" / "checkpoint_2").iterdir())
    rows = pl.read_parquet(file)
    least = rows["depth.abs_rel"].max()
    changed = pl.when(pl.col("depth.abs_rel") == least).then(pl.col("depth.abs_rel") * (1 + 1e-15))
    try:
        rows.with_columns(changed.otherwise(pl.col("depth.abs_rel"))).write_parquet(file)
        assert differences(shared, unshared, NAMES)[0] == ["checkpoint_2"]
        assert differences(shared, unshared, NAMES[:2])[0] == []
    finally:
        rows.write_parquet(file)
    file = next((unshared / "slices" / "oracle").iterdir())
    slices = pl.read_parquet(file)
    try:
        slices.with_columns(pl.col("depth.mae") * 1.000001).write_parquet(file)
        assert differences(shared, unshared, NAMES)[0] == ["slices/oracle"]
    finally:
        slices.write_parquet(file)
    curves = pl.read_parquet(unshared / "curves.parquet")
    try:
        curves.with_columns(pl.col("y") + 1e-15).write_parquet(unshared / "curves.parquet")
        assert differences(shared, unshared, NAMES)[0] == ["curves.parquet"]
    finally:
        curves.write_parquet(unshared / "curves.parquet")


def test_a_wrong_result_fails(monkeypatch: pytest.MonkeyPatch, quick: Quick) -> None:
    def differing(*_: object) -> Measured:
        measured = _measured()
        measured.different = {"unshared": ["checkpoint_2"], "naive": []}
        return measured

    monkeypatch.setattr(evaluate, "_measure", differing)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = evaluate.main(["--quick", "--scratch", str(quick.scratch), "--targets", "head-only"])
    assert code == 1
    assert "differs in checkpoint_2" in out.getvalue()
    assert "MISSED identical results" in out.getvalue()


@pytest.mark.parametrize(("shared", "code"), [(11.0, 0), (12.0, 1)])
def test_goals_count_when_asked(monkeypatch: pytest.MonkeyPatch, quick: Quick, shared: float, code: int) -> None:
    monkeypatch.setattr(evaluate, "_measure", lambda *_: _measured(shared))
    arguments = ["--quick", "--scratch", str(quick.scratch), "--targets", "head-only"]
    with contextlib.redirect_stdout(io.StringIO()):
        assert evaluate.main([*arguments, "--strict"]) == code
        assert evaluate.main(arguments) == 0


def test_ratios_by_hand() -> None:
    measured = _measured()
    assert measured.counted.saving == pytest.approx(3 * 100 / (70 + 3 * 30))
    ratios = measured.ratios()
    assert ratios["shared_to_unavoidable"] == pytest.approx(1.1)
    assert ratios["saving_alone"] == pytest.approx(1.8)
    assert ratios["saving_alone_of_counted"] == pytest.approx(0.96)
    assert ratios["saving_in_run"] == pytest.approx(1.5)
    assert ratios["unshared_to_shared"] == pytest.approx(22 / 11)
    assert ratios["naive_to_shared"] == pytest.approx(6)
    # One trunk of 2 s and three suffixes of 1 s: apart, they would be three trunks and three suffixes.
    assert ratios["possible_saving"] == pytest.approx(9 / 5)
    assert any(line.split() == ["shared", "run", "11.00", "1.100"] for line in target_lines(measured))


def test_operations_are_counted_on_the_modules() -> None:
    network = TinyNetwork(SMALL, 0).eval()
    images = torch.rand(1, 2, 3, 16, 32)
    width, frames, patches, special = 16, 2, 8, 2
    tokens = patches + special

    def block(count: int, seen: int) -> int:
        """Of ``count`` tokens, each seeing ``seen``: 12 C^2 products for the layers, 2 T C for the attention."""
        return 2 * count * (12 * width**2 + 2 * seen * width)

    assert count(lambda: network.aggregator.frame_blocks[0](torch.rand(2, tokens, width))) == block(2 * tokens, tokens)
    encoder = 2 * frames * patches * 3 * 8 * 8 * width + 2 * block(frames * patches, patches)
    every = frames * tokens
    assert count(lambda: network.aggregator(images, (2,))) == encoder + 3 * (block(every, tokens) + block(every, every))


@pytest.mark.parametrize("name", evaluate.TARGETS)
def test_trunk_and_suffix_are_the_network(name: str) -> None:
    network = TinyNetwork(SMALL, 0).eval()
    target = make_target(name, SMALL)
    images = torch.rand(1, 2, 3, 16, 32)
    with torch.inference_mode():
        trunk = run_trunk(network, images, target)
        parts, whole = run_suffix(network, images, trunk, target), network(images)
    assert all(torch.equal(parts[key], whole[key]) for key in whole)
    every = count(lambda: network(images))
    apart = count(lambda: run_trunk(network, images, target)), count(lambda: run_suffix(network, images, trunk, target))
    assert sum(apart) == every


def test_the_scaled_model_has_the_proportions() -> None:
    network = TinyNetwork(SCALED, 0).eval()
    camera = count(lambda: network.camera_head(torch.zeros(1, 8, 2 * SCALED.embed_dim)))
    # Tensors without memory: the shapes decide, and nothing is computed.
    aggregator, head = network.aggregator.to("meta"), network.depth_head.to("meta")
    images = torch.zeros(1, 8, 3, 36, 132, device="meta")
    with torch.device("meta"):
        tokens = aggregator.embed(images)
        taps = [torch.cat([tokens, tokens], -1)[:, :, aggregator.special :]] * 4
        shares = {
            "encoder": count(lambda: aggregator.embed(images)),
            "frame blocks": 6 * count(lambda: aggregator.frame_blocks[0](tokens.flatten(0, 1))),
            "global blocks": 6 * count(lambda: aggregator.global_blocks[0](tokens.flatten(1, 2))),
            "heads": camera + count(lambda: head(taps, images)),
        }
    total = sum(shares.values())
    assert total / 1e9 == pytest.approx(96.3, abs=0.1)
    for part, share in VGGT_SHARES.items():
        assert shares[part] / total == pytest.approx(share, abs=0.015), part


def _measured(shared: float = 11.0) -> Measured:
    """Figures to compute with by hand: three models of one window, 10 s of unavoidable work."""
    return Measured(
        make_target("head-only", SMALL),
        Counted(base=100, adapted=100, trunk=70, base_suffix=30, adapted_suffix=30, checkpoints=2),
        windows=1,
        work=[{"reading": 1, "truth": 1, "trunks": 2, "suffixes": 3, "scoring": 2, "pictures": 0.5, "writing": 0.5}],
        shared=[RunTimes(shared, 1.0, 4.0)],
        unshared=[RunTimes(22.0, 1.0, 6.0)],
        alone_shared=[5.0],
        alone_unshared=[9.0],
        naive=66.0,
        naive_models=3,
        different={"unshared": [], "naive": []},
        compared={"unshared": 7, "naive": 7},
    )
