"""The samples' training: losses by hand, steps that lower them, and adapters that the engine reads."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `eval`")

from engine.inference.checkpoints import discover_checkpoints  # noqa: E402
from engine.inference.lora import AdapterBank  # noqa: E402
from engine.inference.pose_encoding import encode  # noqa: E402
from engine.inference.tiny import TinyConfig, TinyModel, TinyNetwork, load, save_network  # noqa: E402
from sample_results.training.__main__ import save_adapter  # noqa: E402
from sample_results.training.footage import Footage, draw  # noqa: E402
from sample_results.training.loops import finetune, pretrain, train_step, with_lora  # noqa: E402
from sample_results.training.losses import FARTHEST, camera_loss, depth_loss, objective  # noqa: E402
from sample_results.training.recipes import FINETUNINGS, SEQ_LEN, Finetuning, Phase, Pretraining  # noqa: E402

FRAMES, HEIGHT, WIDTH = SEQ_LEN, 28, 42
RECIPE = Finetuning(rank=2, alpha=8, dropout=0.1, phases=(Phase(1, 2, 1e-2), Phase(2, 1, 1e-3)))


@pytest.fixture
def footage() -> Footage:
    """A camera that drives 0.5 m a frame towards a wall, the right half of which is a building."""
    random = np.random.default_rng(3)
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    poses[:, :3, 3] = (1000.0, -2000.0, 50.0)
    poses[:, 2, 3] += 0.5 * np.arange(FRAMES)
    depth = np.broadcast_to(20 - 0.5 * np.arange(FRAMES)[:, None, None], (FRAMES, HEIGHT, WIDTH))
    intrinsics = np.array([[40.0, 0, WIDTH / 2], [0, 40.0, HEIGHT / 2], [0, 0, 1]])
    building = np.zeros((FRAMES, HEIGHT, WIDTH), bool)
    building[:, :, WIDTH // 2 :] = True
    return Footage(
        images=torch.from_numpy(random.random((FRAMES, 3, HEIGHT, WIDTH), dtype=np.float32)),
        depth=torch.from_numpy(depth.astype(np.float32)),
        building=torch.from_numpy(building),
        world_to_camera=torch.from_numpy(np.linalg.inv(poses)),
        intrinsics=torch.from_numpy(np.tile(intrinsics, (FRAMES, 1, 1))),
    )


def network() -> TinyNetwork:
    return TinyNetwork(TinyConfig(), 5)


def ones(footage: Footage) -> torch.Tensor:
    return torch.ones_like(footage.depth)


def test_a_common_factor_is_its_logarithm_twice(footage: Footage) -> None:
    # Once as it is, once under a confidence of 1, which costs nothing; the gradient of log depth is right.
    loss = depth_loss(2 * footage.depth, ones(footage), footage, building_weight=1.0)
    assert float(loss) == pytest.approx(2 * math.log(2), rel=1e-5)


def test_building_pixels_weigh_as_told(footage: Footage) -> None:
    wrong = torch.where(footage.building, 2 * footage.depth, footage.depth)
    weight = 3.0
    # One of WIDTH - 1 steps to the right crosses the edge; its weight is the smaller one, 1, on either side.
    steps = WIDTH // 2 - 1
    gradient = math.log(2) / (steps + 1 + steps * weight)
    expected = 2 * math.log(2) * weight / (1 + weight) + gradient
    assert float(depth_loss(wrong, ones(footage), footage, weight)) == pytest.approx(expected, rel=1e-5)


def test_confidence_is_worth_most_where_it_balances_the_error(footage: Footage) -> None:
    predicted = footage.depth * math.exp(0.05)
    losses = [float(depth_loss(predicted, confidence * ones(footage), footage, 1.0)) for confidence in (3.0, 4.0, 5.0)]
    assert losses[1] == min(losses)


@pytest.mark.parametrize("hidden", [0.0, FARTHEST, FARTHEST + 100])
def test_sky_and_what_is_too_far_take_no_part(footage: Footage, hidden: float) -> None:
    depth = footage.depth.clone()
    depth[:, :5] = hidden
    truth = replace(footage, depth=depth)
    predicted = torch.where(depth == hidden, 1e4, depth)
    assert float(depth_loss(predicted, ones(footage), truth, 1.0)) == pytest.approx(0, abs=1e-5)


def test_true_cameras_cost_nothing_wherever_the_world_begins(footage: Footage) -> None:
    relative = footage.world_to_camera @ torch.linalg.inv(footage.world_to_camera[0])
    encoding = encode(relative, footage.intrinsics, (HEIGHT, WIDTH)).float()
    assert float(camera_loss(encoding, footage)) == pytest.approx(0, abs=1e-5)
    encoding[:, 0] += 1.0
    assert float(camera_loss(encoding, footage)) == pytest.approx(0.1, rel=1e-4)


def test_draws_are_windows_of_one_drive_and_repeatable(footage: Footage) -> None:
    longer = [footage.cut(0, FRAMES), footage.cut(0, 5)]
    lengths = {len(draw(longer, 5, np.random.default_rng(seed))) for seed in range(20)}
    assert lengths == {5}
    first, again = (draw(longer, 3, np.random.default_rng(1)) for _ in range(2))
    assert torch.equal(first.images, again.images)


def test_steps_lower_the_loss(footage: Footage) -> None:
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    first = train_step(model, optimizer, footage, 1.0)
    second = train_step(model, optimizer, footage, 1.0)
    assert second < first


def test_lora_starts_as_the_base_and_its_steps_lower_the_loss(footage: Footage) -> None:
    base = network()
    with torch.no_grad():
        before = float(objective(base(footage.images[None]), footage, 1.0))
    model = with_lora(base, RECIPE)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    first = train_step(model, optimizer, footage, 1.0)
    assert first == pytest.approx(before, rel=1e-5)
    assert train_step(model, optimizer, footage, 1.0) < first


def test_pretraining_is_repeatable_and_stored_in_half_precision(footage: Footage, tmp_path: Path) -> None:
    recipe = Pretraining(steps=2)
    lines: list[str] = []
    first, again = (pretrain([footage], recipe, lines.append).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    save_network(pretrain([footage], recipe, lines.append), tmp_path / "base.safetensors")
    read = load(tmp_path / "base.safetensors").state_dict()
    assert all(
        tensor.dtype == torch.float32 and torch.equal(tensor, first[name].float()) for name, tensor in read.items()
    )
    assert len(lines) == 6


def test_finetuning_is_repeatable_and_changes_lora_alone(footage: Footage) -> None:
    before = network().state_dict()
    first, again = (
        [
            (number, {name: tensor.clone() for name, tensor in model.state_dict().items()})
            for number, _, model in finetune(network(), [footage], RECIPE)
        ]
        for _ in range(2)
    )
    assert [number for number, _ in first] == [1, 2, 3]
    for (_, state), (_, same) in zip(first, again, strict=True):
        assert all(torch.equal(state[name], same[name]) for name in state)
    last = first[-1][1]
    frozen = {name: tensor for name, tensor in last.items() if "lora_" not in name}
    assert len(frozen) == len(before)
    for name, tensor in frozen.items():
        plain = name.removeprefix("base_model.model.").replace(".base_layer", "")
        assert torch.equal(tensor, before[plain]), name
    assert any(not torch.equal(last[name], first[0][1][name]) for name in last if "lora_" in name)


def test_saved_adapters_are_what_the_engine_reads(footage: Footage, tmp_path: Path) -> None:
    *_, (_, _, model) = finetune(network(), [footage], RECIPE)
    save_adapter(model, tmp_path / "checkpoint_3")
    assert sorted(file.name for file in (tmp_path / "checkpoint_3").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    read = TinyModel(network().eval())
    bank = AdapterBank(read)
    bank.add(*discover_checkpoints(tmp_path))
    bank.activate("checkpoint_3")
    with torch.no_grad():
        expected = model.eval()(footage.images[None])["depth"][..., 0]
        # Stored in half precision.
        torch.testing.assert_close(read.predict(footage.images[None]).depth, expected, rtol=2e-3, atol=0)


def test_both_recipes_save_more_than_twenty_checkpoints() -> None:
    assert all(recipe.checkpoints > 20 for recipe in FINETUNINGS.values())
    aggressive = FINETUNINGS["aggressive"].phases
    assert aggressive[0].learning_rate > aggressive[1].learning_rate
    assert aggressive[0].checkpoints == aggressive[1].checkpoints
