"""What the ``adapter_config.json`` of a PEFT folder means for a base network."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from peft import LoraConfig
from peft.tuners.tuners_utils import check_target_module_exists
from peft.utils.other import get_pattern_key

from engine.errors import DataError
from engine.inference.lora_config import SUPPORTED, BaseNetwork, Recipe, update_scaling
from engine.text import listed, visible

# Initialisations that change the base weights: their adapters mean nothing on the original base.
_BASE_CHANGING_INIT = ("pissa", "olora", "loftq", "corda", "lora_ga")
# Settings that are honoured here.
_HONOURED = frozenset(
    {
        "r", "lora_alpha", "lora_dropout", "use_rslora", "rank_pattern", "alpha_pattern", "modules_to_save",
        "target_modules", "exclude_modules", "layers_to_transform", "layers_pattern",
    }
)  # fmt: skip
# Settings that change nothing about the outputs of a finished adapter.
_INDIFFERENT = frozenset(
    {
        "task_type", "peft_type", "auto_mapping", "peft_version", "base_model_name_or_path", "revision",
        "inference_mode", "init_lora_weights", "eva_config", "ensure_weight_tying",
    }
)  # fmt: skip


def resolve_adapter(config_path: Path, base: BaseNetwork) -> Recipe:
    """The recipe of an ``adapter_config.json`` for this base.

    Raises:
        DataError: unreadable, not LoRA, uses a feature that is not supported here, or fits no layer of the base.
    """
    shown = visible(str(config_path))
    settings = _adapter_settings(config_path)
    _refuse_unsupported(settings, {f.name: _default(f) for f in dataclasses.fields(LoraConfig)}, shown)
    try:
        config = LoraConfig(**{key: value for key, value in settings.items() if key in _HONOURED})
        targets = [name for name in base.modules if name and check_target_module_exists(config, name)]
        ranks = {name: _by_pattern(config.rank_pattern, name, config.r) for name in targets}
        alphas = {name: _by_pattern(config.alpha_pattern, name, config.lora_alpha) for name in targets}
        scaling = {name: update_scaling(alphas[name], ranks[name], config.use_rslora) for name in targets}
        # PEFT looks at the end of a name alone, without minding the dots.
        saved = [name for name in base.modules if name.endswith(tuple(config.modules_to_save or ()))]
        whole = frozenset(key for key in base.state if any(key.startswith(f"{name}.") for name in saved))
    except (TypeError, ValueError, ArithmeticError, AttributeError, re.error) as error:
        raise DataError(f"{shown} cannot be used ({visible(str(error))})", "check the file") from None
    unfit = [name for name in targets if not isinstance(base.modules[name], SUPPORTED)]
    if unfit:
        raise DataError(
            f"{shown} targets {listed(unfit)}, which is neither Linear, Conv1d nor Conv2d", "check the model"
        )
    if not targets:
        raise DataError(f"{shown}: its target_modules match no layer of the model", "check model and checkpoint")
    patterns = config.target_modules
    return Recipe(
        ranks,
        scaling,
        whole,
        config.r,
        float(config.lora_alpha),
        float(config.lora_dropout),
        (patterns,) if isinstance(patterns, str) else tuple(sorted(patterns or ())),
    )


def _by_pattern(patterns: Mapping[str, Any] | None, name: str, default: Any) -> Any:
    """What PEFT's ``rank_pattern`` or ``alpha_pattern`` say about a module."""
    return (patterns or {}).get(get_pattern_key(list(patterns or ()), name), default)


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default


def _adapter_settings(path: Path) -> dict[str, Any]:
    shown = visible(str(path))
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{shown}: {error.strerror}", "copy the folder again") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{shown} is no valid JSON ({visible(str(error))})", "copy the folder again") from None
    if not isinstance(settings, dict):
        raise DataError(f"{shown} holds no settings", "copy the folder again")
    if settings.get("peft_type") != "LORA":
        raise DataError(f"{shown}: peft_type is {visible(repr(settings.get('peft_type')))}", "only LORA is supported")
    return settings


def _refuse_unsupported(settings: Mapping[str, Any], defaults: Mapping[str, object], shown: str) -> None:
    """Refuse a setting that changes what the adapter computes and is not honoured here."""
    for key, value in settings.items():
        known = key in _HONOURED or key in _INDIFFERENT
        if not known and value not in (None, False, {}, []) and value != defaults.get(key):
            raise DataError(f"{shown}: {visible(key)} = {visible(repr(value))} is not supported", "use plain LoRA")
    start = settings.get("init_lora_weights")
    if isinstance(start, str) and start.lower().startswith(_BASE_CHANGING_INIT):
        raise DataError(
            f"{shown}: init_lora_weights = {visible(repr(start))} changed the base weights in training",
            "convert it to plain LoRA with PEFT",
        )
