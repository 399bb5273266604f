"""Makes the sample runs: ``python -m sample_results.training``; see ``sample_results/README.md``."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

import torch
from peft import PeftModel
from peft.utils import SAFETENSORS_WEIGHTS_NAME
from safetensors.torch import load_file, save

from engine.atomic import atomic_write_bytes
from engine.dataset.street_writer import write_street
from engine.inference.checkpoints import ADAPTER_CONFIG
from engine.inference.tiny import load, save_network
from sample_results.training import recipes
from sample_results.training.footage import read_footage
from sample_results.training.loops import Report, finetune, pretrain
from sample_results.training.publish import publish

_STAGES = ("base", "lora", "evaluate")


def main() -> None:
    """Read the command line and make what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m sample_results.training", description=__doc__)
    parser.add_argument("--to", type=Path, default=Path(__file__).parents[1], help="folder of the samples")
    parser.add_argument("--stage", choices=_STAGES, action="append", help="make this part alone; may be repeated")
    parser.add_argument("--threads", type=int, default=1, help="of torch; another number rounds otherwise")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True)
    begin = time.perf_counter()

    def report(line: str) -> None:
        print(f"{time.perf_counter() - begin:6.0f} s  {line}", flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        make(options.to, Path(scratch), options.stage or _STAGES, report)


def make(to: Path, scratch: Path, stages: Collection[str], report: Report) -> None:
    """Make the samples.

    Args:
        to: their folder: ``weights`` and ``street_*`` in it are replaced.
        scratch: where streets are written.
        stages: ``base``, ``lora``, ``evaluate``; what is not made anew is taken from ``to``.
        report: told what happens.

    Raises:
        DataError: something cannot be read or written.
    """
    base = to / "weights" / "base.safetensors"
    if "base" in stages:
        _make_base(base, scratch, report)
    if not {"lora", "evaluate"} & set(stages):
        return
    street = write_street(scratch / "street", seed=recipes.STREET_SEED)
    report("street written")
    for name, recipe in recipes.FINETUNINGS.items():
        adapters = to / "weights" / name
        if "lora" in stages:
            _make_adapters(adapters, base, street, name, recipe, report)
        if "evaluate" in stages:
            publish(street, base, adapters, to / f"street_{name}", recipe, report)


def _make_base(base: Path, scratch: Path, report: Report) -> None:
    street = write_street(
        scratch / "streets_of_the_base",
        seed=recipes.BASE_SEED,
        drives=dict.fromkeys(recipes.BASE_DRIVES, "train"),
        frames=recipes.BASE_FRAMES,
        # Training looks at rendered depth alone; a scan is there because a frame without one is left out.
        beams=2,
        azimuths=8,
    )
    footage = read_footage(street, "train", recipes.PREPARATION, recipes.SEQ_LEN)
    report(f"streets of the base written: {len(footage)} drives, {sum(map(len, footage))} frames")
    base.parent.mkdir(parents=True, exist_ok=True)
    save_network(pretrain(footage, recipes.PRETRAINING, report), base)


def _make_adapters(
    folder: Path, base: Path, street: Path, name: str, recipe: recipes.Finetuning, report: Report
) -> None:
    footage = read_footage(street, "train", recipes.PREPARATION, recipes.SEQ_LEN)
    shutil.rmtree(folder, ignore_errors=True)
    for number, loss, model in finetune(load(base), footage, recipe):
        save_adapter(model, folder / f"checkpoint_{number}")
        report(f"{name}: checkpoint {number} of {recipe.checkpoints}, loss {loss:.4f}")


def save_adapter(model: PeftModel, folder: Path) -> None:
    """Save LoRA alone, as PEFT does, but in half precision; the same weights give the same bytes.

    Raises:
        OSError: it cannot be written.
    """
    model.save_pretrained(str(folder))
    # The model card would say nothing.
    (folder / "README.md").unlink(missing_ok=True)
    weights = folder / SAFETENSORS_WEIGHTS_NAME
    halved = {name: tensor.half() for name, tensor in load_file(weights).items()}
    atomic_write_bytes(weights, save(halved, metadata={"format": "pt"}))
    # PEFT writes a set, in an order that changes from process to process.
    config = folder / ADAPTER_CONFIG
    settings = json.loads(config.read_text("utf-8"))
    settings["target_modules"].sort()
    config.write_text(json.dumps(settings, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
