"""Depth by distance and class on a CUDA device: the same as on a CPU, the same again, and nobody waits for it."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch
from polars.testing import assert_frame_equal
from support.room import REGIONS, Room, imperfect, window

from engine.dataset.labels import NAMES
from engine.evaluation.transfer import start_fetch
from engine.geometry.alignment import ALIGNMENTS
from engine.inference.contract import Prediction
from engine.schema import SLICED
from engine.scoring.slices import SliceTally
from engine.scoring.truth import prepare_truth
from engine.scoring.window import score_window, slice_rows

pytestmark = pytest.mark.gpu


def test_slices_are_those_of_a_cpu_and_nearly_the_same_again(cuda_device: torch.device) -> None:
    prepared = window(Room())
    prediction = imperfect(prepared)
    there = Prediction(*(getattr(prediction, field.name).to(cuda_device) for field in fields(Prediction)))
    cpu = torch.device("cpu")
    expected = slice_rows(score_window(prediction, prepare_truth(prepared, REGIONS, cpu, classes=NAMES)), "c")
    truth = prepare_truth(prepared, REGIONS, cuda_device, classes=NAMES)
    found = [slice_rows(start_fetch(score_window(there, truth))(), "c") for _ in range(3)]
    # A share may change by a point whose ratio is rounded to the other side of a threshold.
    shares = [name for name in expected.columns if name.startswith("depth.delta")]
    assert_frame_equal(found[0].drop(shares), expected.drop(shares), rel_tol=1e-4, abs_tol=1e-6)
    moved = [((found[0][name] - expected[name]).abs() * expected["pixels"]).max() for name in shares]
    assert max(moved) < 3  # type: ignore[type-var,operator]
    for again in found[1:]:
        assert_frame_equal(again.drop(shares), found[0].drop(shares), rel_tol=1e-6)


def test_adding_up_is_the_same_every_time_and_does_not_wait(cuda_device: torch.device) -> None:
    truth = prepare_truth(window(Room()), REGIONS, cuda_device, classes=NAMES)
    assert truth.slices is not None
    values = torch.rand(len(ALIGNMENTS), len(truth.depth), device=cuda_device)
    results = []
    for mode in ("default", "error"):  # what is loaded at the first call may wait
        tally = SliceTally(truth.slices, 2)
        torch.cuda.set_sync_debug_mode(mode)
        try:
            for block in truth.groups.blocks:
                for name in ("mae", "square", "abs_rel", "delta1", "delta2", "delta3", "clamped"):
                    tally.add(block, name, values[:, slice(*block.points)])
            results.append(tally.metrics())
        finally:
            torch.cuda.set_sync_debug_mode("default")
    found = results[0]
    assert torch.equal(found, results[1])
    assert found.shape == (len(SLICED), len(truth.slices.slices))
    mae, rmse = found[SLICED.index("mae")], found[SLICED.index("rmse")]
    assert torch.allclose(mae, rmse.square())
