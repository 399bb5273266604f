"""The code of a model card: how to load the checkpoint, and how to get its numbers again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from engine.export.card_facts import CardFacts
from engine.export.command import checkpoint_folder, evaluate_command, shell_word

# What a program uses -> the line that brings it, in the order of such lines.
_IMPORTS = (
    ("fnmatch.", "import fnmatch"),
    ("Path(", "from pathlib import Path"),
    ("torch.load(", "import torch"),
    ("build_model(", "from engine.inference.families import build_model  # of lorascope[eval]"),
    ("LoraConfig(", "from peft import LoraConfig, get_peft_model, set_peft_model_state_dict"),
    ("PeftModel.", "from peft import PeftModel"),
    ("load_file(", "from safetensors.torch import load_file"),
    ("nn.Linear", "from torch import nn"),
    ("VGGT(", "from vggt.models.vggt import VGGT"),
)
_PLAIN = re.compile(r"[\w./+=@ *?!\[\]-]+", re.ASCII)


def loading(facts: CardFacts) -> list[str] | None:
    """Python that loads the checkpoint with PEFT, run in the export's folder; ``None`` where too little is known."""
    if facts.is_adapter:
        return _program(
            [*_base(facts), 'model = PeftModel.from_pretrained(base, ".").eval()  # the folder of this card']
        )
    if facts.rank is None or facts.alpha is None or not facts.target_modules:
        return None
    return _program(
        [
            *_base(facts),
            "patterns = [",
            *(f"    {_string(pattern)}," for pattern in facts.target_modules),
            "]",
            "layers = [",
            "    name",
            "    for name, layer in base.named_modules()",
            "    if isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d))",
            "    and any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)",
            "]",
            f"state = {_read(facts.weights)}",
            'state = state.get("model", state)',
            'assert not any(".modules_to_save." in name for name in state), "more than LoRA was trained"',
            'lora = {name.replace(".default.", "."): t for name, t in state.items() if ".lora_" in name}',
            f"config = LoraConfig(r={facts.rank}, lora_alpha={facts.alpha:g}, target_modules=layers{_rslora(facts)})",
            "model = get_peft_model(base, config).eval()",
            "result = set_peft_model_state_dict(model, lora)",
            'assert not result.unexpected_keys and not any(".lora_" in name for name in result.missing_keys)',
        ]
    )


def loading_merged(facts: CardFacts) -> list[str]:
    """Python that loads the merged weights into the plain network; no PEFT is needed."""
    return _program(_network(facts, facts.merged.file.name if facts.merged else ""))


def again(facts: CardFacts) -> list[str] | None:
    """Shell commands that evaluate, compare and export again; ``None`` where lorascope did not evaluate."""
    about = facts.about
    evaluate = evaluate_command(about)
    if evaluate is None:
        return None
    run, name = shell_word(about.run), shell_word(facts.selection.checkpoint)
    return [
        *evaluate,
        f"lorascope compare {run} --checkpoint {name}",
        f"lorascope export {run} {name} --checkpoints {shell_word(checkpoint_folder(about))} --to exported",
    ]


def _rslora(facts: CardFacts) -> str:
    return ", use_rslora=True" if facts.adapter.use_rslora else ""


def _base(facts: CardFacts) -> list[str]:
    """Statements that make ``base``, the network with the base's weights."""
    if facts.base_seed is not None:
        return [f"base = build_model({_string(facts.family)}, seed={facts.base_seed}).module"]
    return _network(facts, facts.base_file or "base.pt")


def _network(facts: CardFacts, weights: str) -> list[str]:
    """Statements that make ``base``, the network with the weights of a file."""
    if facts.family == "tiny":
        return [f'base = build_model("tiny", weights=Path({_string(weights)})).module']
    if facts.family == "vggt":
        return [
            'unused = ("point_head.", "track_head.")  # parts of VGGT that were not adapted',
            f"weights = {_read(weights)}",
            "base = VGGT(enable_point=False, enable_track=False)",
            "base.load_state_dict({name: t for name, t in weights.items() if not name.startswith(unused)})",
        ]
    return [
        "base = ...  # the network that was adapted, a torch.nn.Module",
        f"base.load_state_dict({_read(weights)})",
    ]


def _program(statements: Sequence[str]) -> list[str]:
    text = "\n".join(statements)
    return [*(line for used, line in _IMPORTS if used in text), "", *statements]


def _read(name: str) -> str:
    if name.lower().endswith(".safetensors"):
        return f"load_file({_string(name)})"
    return f'torch.load({_string(name)}, map_location="cpu", weights_only=True)'


def _string(text: str) -> str:
    """``text`` as a Python string on one line; whatever is not plain in it is escaped."""
    return f'"{text}"' if _PLAIN.fullmatch(text) else ascii(text)
