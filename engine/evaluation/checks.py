"""Whether settings can be right, as far as that shows without reading data: for forms, before anything is started.

What a value may be is said by :class:`engine.evaluation.config.EvaluationConfig` alone; here is added what only the
file system and the installed packages can say. Imports neither torch nor a dataset's reader.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from pydantic import ValidationError

from engine.dataset.kinds import kind_of
from engine.errors import LorascopeError
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.mistakes import place_of, words_of
from engine.evaluation.prior import state_in
from engine.i18n import gettext as _
from engine.inference.checkpoints import choose, discover_checkpoints


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found out about some settings.

    Attributes:
        config: the configuration; ``None`` where a value is wrong by itself.
        mistakes: field -> what is wrong with it.
        missing: fields that are needed and not given; part of ``mistakes``.
        found: names of the checkpoints in the folder, in training order.
        chosen: those of them that would be taken.
        done: shards that an earlier start of the same evaluation finished.
    """

    config: EvaluationConfig | None
    mistakes: dict[str, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    found: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()
    done: int = 0


def check(values: Mapping[str, object]) -> Checked:
    """Look at settings field by field.

    Args:
        values: fields of :class:`EvaluationConfig`, as text or as what they mean; those not given are left out.
    """
    mistakes: dict[str, str] = {}
    missing: set[str] = set()
    config = None
    try:
        config = EvaluationConfig.model_validate(dict(values))
    except ValidationError as error:
        for mistake in error.errors():
            mistakes.setdefault(place_of(mistake), words_of(mistake))
            missing |= {place_of(mistake)} if mistake["type"] == "missing" else set()
    seen = config or _valid_part(values, mistakes)
    if seen.base is None and seen.base_seed is None and not {"base", "base_seed"} & set(mistakes):
        mistakes["base"] = _("model {name} has no base weights: name their file").format(name=repr(seen.model))
        missing.add("base")
    if seen.base is not None and seen.base_seed is not None:
        mistakes["base_seed"] = _("there are base weights already: give one of the two")
    found, chosen = _checkpoints(seen, mistakes)
    for name, look in _LOOKS.items():
        if name not in mistakes and name in values and (why := _told(look, seen)):
            mistakes[name] = why
    done = 0
    if "to" in values and "to" not in mistakes:
        try:
            done = _target(seen, whole=config is not None)
        except LorascopeError as error:
            mistakes["to"] = error.message
        except OSError as error:
            mistakes["to"] = f"{seen.to}: {error.strerror}"
    return Checked(config, mistakes, frozenset(missing), found, chosen, done)


def _valid_part(values: Mapping[str, object], mistakes: Mapping[str, str]) -> EvaluationConfig:
    """The fields that are right by themselves, so that the others' mistakes do not hide theirs."""
    given = {name: value for name, value in values.items() if name not in mistakes}
    try:
        return EvaluationConfig.model_validate({"data": Path(), "to": Path(), **given})
    except ValidationError:  # fields that are wrong only beside others
        return EvaluationConfig(data=Path(), to=Path())


def _checkpoints(config: EvaluationConfig, mistakes: dict[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of what is there and of what is chosen."""
    if config.checkpoints is None:
        if config.only is not None and "checkpoints" not in mistakes:
            mistakes.setdefault("only", _("there is no folder of checkpoints to choose from"))
        return (), ()
    try:
        exclude = [config.base] if config.base is not None else []
        sources = discover_checkpoints(config.checkpoints, exclude=exclude)
    except LorascopeError as error:
        mistakes["checkpoints"] = error.message
        return (), ()
    found = tuple(source.name for source in sources)
    try:
        chosen = choose(sources, config.only)[: config.limit_checkpoints]
    except LorascopeError as error:
        mistakes["only"] = str(error)
        return found, ()
    return found, tuple(source.name for source in chosen)


def _told(look: Callable[[EvaluationConfig], str], config: EvaluationConfig) -> str:
    try:
        return look(config)
    except OSError as error:
        return str(error.strerror or error)


def _data(config: EvaluationConfig) -> str:
    if not config.data.is_dir():
        return _("there is no folder {path}").format(path=config.data)
    if kind_of(config.data):
        return ""
    return _("{path} holds no dataset that lorascope knows").format(path=config.data)


def _file(name: str) -> Callable[[EvaluationConfig], str]:
    def look(config: EvaluationConfig) -> str:
        path: Path | None = getattr(config, name)
        return "" if path is None or path.is_file() else _("there is no file {path}").format(path=path)

    return look


def _cache(config: EvaluationConfig) -> str:
    path = config.cache
    if path is None or not path.exists() or path.is_dir():
        return ""
    return _("{path} is not a folder").format(path=path)


def _spread(config: EvaluationConfig) -> str:
    if config.spread and find_spec("distributed") is None:
        return _("several workers need the extra cluster: pip install 'lorascope[cluster]'")
    return ""


def _mirror(config: EvaluationConfig) -> str:
    url = config.mirror
    wanted = ("fsspec", *(("s3fs",) if url is not None and url.startswith("s3:") else ()))
    if url is not None and any(find_spec(name) is None for name in wanted):
        return _("an object store needs the extra s3: pip install 'lorascope[s3]'")
    return ""


_LOOKS: dict[str, Callable[[EvaluationConfig], str]] = {
    "data": _data,
    "base": _file("base"),
    "training": _file("training"),
    "cache": _cache,
    "workers": _spread,
    "cluster": _spread,
    "mirror": _mirror,
}


def _target(config: EvaluationConfig, *, whole: bool) -> int:
    """Shards that are done in the folder that is written to.

    Raises:
        LorascopeError: it cannot be, or must not be.
    """
    to = config.to
    if to.exists() and not to.is_dir():
        raise LorascopeError(_("{path} is a file").format(path=to))
    there = next(folder for folder in (to, *to.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise LorascopeError(_("{path} cannot be written to").format(path=there))
    settings = config.settings() if whole else {}
    if config.split is None:
        settings.pop("split", None)  # which one is meant is known when the data are read
    return len(state_in(to, settings).shards)
