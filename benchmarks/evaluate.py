"""What evaluating a base and 50 checkpoints costs, beside the work that is unavoidable, and beside doing all again.

    python -m benchmarks.evaluate [--windows 2] [--adapters 50] [--targets both] [--json FILE] [--strict]

Writes a synthetic street of KITTI-360's image size and the built-in model in VGGT-1B's proportions to a temporary
folder. The exit code is 1 where two ways of evaluating give different results, and with ``--strict`` where a goal is
missed. Nothing else should run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.evaluate_count import count_window, parts
from benchmarks.evaluate_model import QUICK, SCALED, Target, make_target, preparation, write_adapters, write_base
from benchmarks.evaluate_runs import differences, evaluate, forward_passes, load_predictors, naive, with_sharing
from benchmarks.evaluate_table import Measured, machine, machine_lines, model_lines, target_lines
from benchmarks.evaluate_work import DEVICE, Models, pseudo, score, truth_of, unavoidable
from engine.dataset.model import PreparedWindow
from engine.dataset.street_writer import write_street
from engine.evaluation.chance_depth import chance_depth
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.plan import Plan, make_plan
from engine.inference.tiny import TinyConfig, load

FRAMES = 8
TARGETS = ("last-third", "head-only")
_WARM_UP = 3  # models: the base, a checkpoint that sharing is proven on, and one more


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and say by the exit code whether the results agree."""
    options = _parser().parse_args(argv)
    for option, usual, quick in (("windows", 2, 1), ("adapters", 50, 2), ("repeats", 2, 1)):
        if getattr(options, option) is None:
            setattr(options, option, quick if options.quick else usual)
    config = QUICK if options.quick else SCALED
    found = machine()
    print("\n".join(machine_lines(found)), flush=True)
    document: dict[str, object] = {"machine": found, "targets": {}}
    measured: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="lorascope-benchmark-") as temporary:
        scratch = options.scratch or Path(temporary)
        street = _street(scratch, options.windows, options.quick)
        base = write_base(scratch / "model", config)
        for name in TARGETS if options.targets == "both" else (options.targets,):
            target = make_target(name, config)
            plan = _plan(street, base, scratch, target, options.adapters)
            if not measured:
                found_parts = parts(load(base).eval(), _first_images(plan, config))
                document["model"] = {"config": asdict(config), "parts": [asdict(part) for part in found_parts]}
                print("\n".join(["", *model_lines(found_parts)]), flush=True)
            print(f"\n== {name}: LoRA on {', '.join(target.patterns)}", flush=True)
            measured.append(_measure(plan, target, options.repeats, options.naive_sample))
            print("\n".join(target_lines(measured[-1])), flush=True)
            document["targets"] = {one.target.name: one.as_data() for one in measured}
            if options.json:
                options.json.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    wrong = not all(one.identical for one in measured)
    missed = options.strict and not all(all(one.goals().values()) for one in measured)
    return 1 if wrong or missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluate", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--windows", type=int, help="windows of 8 frames (default: 2, quick: 1)")
    parser.add_argument("--adapters", type=int, help="checkpoints besides the base (default: 50, quick: 2)")
    parser.add_argument("--targets", choices=[*TARGETS, "both"], default="both", help="where LoRA sits")
    parser.add_argument("--repeats", type=int, help="of all but the unshared and the naive run (default: 2, quick: 1)")
    parser.add_argument(
        "--naive-sample",
        type=int,
        metavar="K",
        help="do the naive run for K models only and multiply; the table says so",
    )
    parser.add_argument("--quick", action="store_true", help="tiny images and model: shows that it works, no more")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there, too")
    parser.add_argument("--strict", action="store_true", help="exit code 1 where a goal is missed")
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="work there; a street that is there is used again")
    return parser


def _street(scratch: Path, windows: int, quick: bool) -> Path:
    """A street with that many windows, of the real images' and scans' size."""
    street = scratch / f"street_{windows}{'_quick' if quick else ''}"
    if not street.exists():
        begin = time.perf_counter()
        size = {"size": (176, 47), "beams": 32, "azimuths": 240} if quick else {"size": (1408, 376), "azimuths": 2000}
        write_street(street, drives={3: "val"}, frames=FRAMES * windows, **size)
        print(f"street written in {time.perf_counter() - begin:.0f} s", flush=True)
    return street


def _plan(street: Path, base: Path, scratch: Path, target: Target, adapters: int) -> Plan:
    folder = scratch / target.name
    shutil.rmtree(folder, ignore_errors=True)
    write_adapters(folder / "checkpoints", load(base), target, adapters)
    return make_plan(
        EvaluationConfig(
            data=street,
            to=folder / "run",
            checkpoints=folder / "checkpoints",
            base=base,
            model="tiny",
            split="val",
            seq_len=FRAMES,
            stride=FRAMES,
            device="cpu",
        )
    )


def _measure(plan: Plan, target: Target, repeats: int, sample: int | None) -> Measured:
    """Measure one target; what is compared with each other takes turns."""
    folder = plan.config.to.parent
    models = Models.load(plan, target)
    prepared = plan.dataset.load(plan.windows[0], models.preparation)
    images = torch.as_tensor(prepared.images, device=DEVICE)[None]
    models.check_parts(images)
    measured = Measured(target, count_window(models.network, models.bank, images, target), len(plan.windows))
    depth = chance_depth(plan.dataset, plan.windows, models.preparation)
    sharing, apart = (load_predictors(with_sharing(plan, on, plan.config.to)) for on in (True, False))
    for predictors in (sharing, apart):
        forward_passes(predictors, images, models.names[:_WARM_UP])
    _warm_scoring(plan, models, prepared)
    first, other, again = folder / "shared_0", folder / "unshared", folder / "naive"
    for number in range(repeats):
        measured.work.append(unavoidable(plan, models, depth, folder / f"work_{number}"))
        measured.shared.append(evaluate(with_sharing(plan, True, folder / f"shared_{number}")))
        measured.alone_shared.append(forward_passes(sharing, images, models.names))
        measured.alone_unshared.append(forward_passes(apart, images, models.names))
        print(f"round {number + 1} of {repeats} is done", flush=True)
    measured.unshared.append(evaluate(with_sharing(plan, False, other)))
    names = models.names[:sample]
    seconds = naive(with_sharing(plan, False, again), apart, names)
    measured.naive, measured.naive_models = seconds * len(models.names) / len(names), len(names)
    for label, store, compared in (("unshared", other, models.names), ("naive", again, names)):
        measured.different[label], measured.compared[label] = differences(first, store, compared)
    return measured


def _warm_scoring(plan: Plan, models: Models, prepared: PreparedWindow) -> None:
    with torch.inference_mode():
        truth = truth_of(plan, prepared)
        for name, prediction in pseudo(prepared, 10.0):
            score(plan, name, prediction, truth)


def _first_images(plan: Plan, config: TinyConfig) -> Tensor:
    prepared = plan.dataset.load(plan.windows[0], preparation(config))
    return torch.as_tensor(prepared.images, device=DEVICE)[None]


if __name__ == "__main__":
    sys.exit(main())
