"""What a run says of itself: ``metadata.json``, and the curves of all shards in one table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

import polars as pl

from engine import __version__
from engine.evaluation.executor import Facts
from engine.evaluation.journal import State
from engine.evaluation.plan import BASELINE, CHANCE, ORACLE, Plan
from engine.results import layout
from engine.results.names import step_of
from engine.results.native import read_metadata
from engine.results.problems import ProblemLog
from engine.results.writer import write_table
from engine.schema import (
    CheckpointInfo,
    DatasetInfo,
    ModelInfo,
    ProtocolInfo,
    Provenance,
    Role,
    RunMetadata,
)
from engine.scoring.protocol import parameters
from engine.scoring.window import merge_curves

Status = Literal["running", "stopped", "done"]
CURVE_SHARDS = "curve_shards"
_NOTES = 20  # of a kind
_NEAR = 2  # steps up from the run to a folder that it shares with its checkpoints


def describe(
    plan: Plan,
    facts: Facts,
    status: Status,
    problems: Mapping[str, str],
    state: State,
) -> RunMetadata:
    """The run's metadata.

    Args:
        plan: the work.
        facts: what is known of the models.
        status: ``running``, ``stopped`` or ``done``.
        problems: checkpoint -> why it is not, or not wholly, evaluated.
        state: what the journal says.
    """
    config = plan.config
    checkpoints = [CheckpointInfo(name=BASELINE, role=Role.BASELINE)]
    checkpoints += [
        CheckpointInfo(
            name=source.name,
            step=step_of(source.name),
            path=_from_run(source.path, config.to),
            problem=problems.get(source.name),
        )
        for source in plan.checkpoints
    ]
    checkpoints += [CheckpointInfo(name=ORACLE, role=Role.ORACLE), CheckpointInfo(name=CHANCE, role=Role.CHANCE)]
    prepare = facts.preparation
    before = read_metadata(config.to, ProblemLog())
    return RunMetadata(
        run=config.run_name,
        created=_started(state),
        lorascope_version=__version__,
        provenance=Provenance.SYNTHETIC if plan.dataset.name == "street" else Provenance.EVALUATED,
        protocol=ProtocolInfo(
            name=config.protocol,
            align=config.align,
            align_scope=config.align_scope,
            prepare=prepare.mode,
            seq_len=config.seq_len,
            stride=config.stride,
            parameters={**parameters(), "chance_depth_m": state.chance_depth},
        ),
        dataset=DatasetInfo(
            name=plan.dataset.name,
            root_name=plan.dataset.root_name,
            split=config.split,
            sampling=config.sampling,
            max_seqs=config.max_seqs,
            seed=config.seed,
            sample_fingerprint=plan.fingerprint,
        ),
        model=ModelInfo(
            name=config.model,
            weights=config.base.name if config.base else f"random, seed {config.base_seed}",
            weights_sha256=facts.weights_sha256,
            image_size=prepare.size,
        ),
        lora=facts.lora,
        device=facts.device,
        checkpoints=checkpoints,
        checkpoint_dir=_from_run(config.checkpoints, config.to) if config.checkpoints else None,
        evaluation_seconds=round(state.seconds, 3),
        # Costs may have been measured between two starts.
        cost=before.cost if before else None,
        status=status,
        left_out={
            **plan.left_out,
            **({"windows that could not be read": len(state.failed_windows)} if state.failed_windows else {}),
            **({"shards set aside": len(state.set_aside)} if state.set_aside else {}),
        },
        notes=[
            *(f"window {window}: {why}" for window, why in sorted(state.failed_windows.items())[:_NOTES]),
            *(f"shard {shard}: {why}" for shard, why in sorted(state.set_aside.items())[:_NOTES]),
        ],
    )


def finish_curves(run: Path) -> None:
    """Join the curves of all shards into ``curves.parquet``: the mean over frames of every point of every curve.

    Raises:
        DataError: the table cannot be written.
    """
    files = sorted((run / CURVE_SHARDS).glob(f"*/{layout.CURVES}"))
    if not files:
        return
    write_table(run, layout.CURVES, merge_curves([pl.read_parquet(file) for file in files]))


def _started(state: State) -> datetime | None:
    return datetime.fromisoformat(state.started) if state.started else None


def _from_run(path: Path, run: Path) -> str:
    """A path relative to the run where both lie near each other, so that they can be moved together; else in full."""
    relative = os.path.relpath(path.absolute(), run.absolute())
    return str(path.absolute()) if relative.count("..") > _NEAR else relative
