"""The settings of an evaluation: one object for the command, for a form, and for the run that it writes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from engine.errors import ConfigError, UnknownNameError
from engine.evaluation.mistakes import place_of, words_of
from engine.i18n import gettext as _
from engine.remote.url import is_url, url_of

# Where and how fast, not what: a run may be gone on with when these change.
_NOT_IN_THE_NUMBERS = {
    "to",
    "name",
    "device",
    "workers",
    "cluster",
    "listen",
    "mirror",
    "shard_timeout",
    "readers",
    "sharing",
    "sharing_memory",
    "cache",
}

Align = Literal["none", "scale", "median", "scale_shift"]
DEVICES = "auto, cpu, cuda or cuda:N"
MODELS = ("vggt", "tiny")  # the families of engine.inference.families, which is too heavy to ask


class EvaluationConfig(BaseModel):
    """What to evaluate, on what, and how.

    Attributes:
        data: dataset root: KITTI-360, a synthetic street, or an RGB-D clip.
        to: the run's folder.
        checkpoints: folder with LoRA checkpoints, or a single one; ``None`` evaluates the base alone.
        base: the base model's weights; ``None`` needs ``base_seed``.
        base_seed: random base weights from this seed, for tests and benchmarks.
        training: a training's configuration with a ``lora`` section, for checkpoints that lack theirs.
        model: the model family.
        split: ``train``, ``val`` or ``test``; ``all`` of an RGB-D clip; ``None`` is ``val`` where the dataset has it.
        max_seqs: windows to draw; ``None`` for all.
        sampling: how they are drawn.
        seed: of the draw, of RANSAC; drawn once per run.
        seq_len: frames in a window.
        stride: frames from one window's start to the next.
        align: the alignment that summaries show; all four are computed.
        align_scope: one fit per window or per frame.
        prepare: ``fit`` or ``crop``.
        size: image width in pixels; ``None`` for the model's own.
        dtype: precision of the forward pass; scoring is float32.
        device: ``cpu``, ``cuda``, ``cuda:1``, or ``auto``; several, with commas between, compute side by side.
        cluster: let workers on other machines join.
        workers: processes that compute on this machine, spread over the devices; ``None`` for one per device. One
            worker on one device is the process of the evaluation itself. With ``cluster`` it may be 0.
        listen: address or network interface where they reach this machine; ``None`` for the one that leads out.
        mirror: URL of a folder in an object store (``s3://``): the run is published there, and with ``cluster`` hosts
            join by it that do not see the run's folder. Who may read it may then run code as this user.
        shard_timeout: seconds after which a shard counts as failed.
        only: take the checkpoints of these names, with commas between; ``*``, ``?`` and ``[34]`` match as in a shell.
        limit_checkpoints: take the first so many.
        protocol: only ``v1`` is run from raw data.
        shard: windows computed between two writes.
        readers: threads that read ahead of the model.
        sharing: compute once per window what the checkpoints have in common; the results are the same.
        sharing_memory: MB (1e6 bytes) that kept outputs may hold; ``None`` for half of what is free.
        cache: folder that keeps prepared ground truth for the next evaluation; several may share it.
        name: the run's name; by default the folder's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path
    to: Path
    checkpoints: Path | None = None
    base: Path | None = None
    base_seed: int | None = None
    training: Path | None = None
    model: str = "vggt"
    split: Literal["train", "val", "test", "all"] | None = None
    max_seqs: Annotated[int, Field(ge=1)] | None = None
    sampling: Literal["uniform", "stratified"] = "uniform"
    seed: int = 0
    seq_len: Annotated[int, Field(ge=1, le=200)] = 8
    stride: Annotated[int, Field(ge=1)] = 8
    align: Align = "median"
    align_scope: Literal["window", "frame"] = "window"
    prepare: Literal["fit", "crop"] = "fit"
    size: Annotated[int, Field(ge=14)] | None = None
    dtype: Literal["fp32", "bf16"] = "fp32"
    device: str = "auto"
    cluster: bool = False
    workers: Annotated[int, Field(ge=0, le=1024)] | None = None
    listen: str | None = None
    mirror: str | None = None
    shard_timeout: Annotated[float, Field(gt=0)] = 3600.0
    only: str | None = None
    limit_checkpoints: Annotated[int, Field(ge=0)] | None = None
    protocol: Literal["v1"] = "v1"
    shard: Annotated[int, Field(ge=1)] = 4
    readers: Annotated[int, Field(ge=1, le=64)] = 2
    sharing: bool = True
    sharing_memory: Annotated[int, Field(ge=0)] | None = None
    cache: Path | None = None
    name: str | None = None

    @field_validator("device")
    @classmethod
    def _known_device(cls, value: str) -> str:
        names = [part.strip() for part in value.split(",")]
        if not all(is_device(name) for name in names):
            raise ValueError(_("must be {devices}, or several with commas between").format(devices=DEVICES))
        if len(set(names)) < len(names):
            raise ValueError(_("names a device twice; take --workers for several processes on one device"))
        return ",".join(names)

    @field_validator("workers")
    @classmethod
    def _somebody_works(cls, value: int | None, others: ValidationInfo) -> int | None:
        if value == 0 and not others.data.get("cluster"):
            raise ValueError(_("0 needs --cluster, where others work"))
        return value

    @field_validator("mirror")
    @classmethod
    def _store(cls, value: str | None) -> str | None:
        if value is not None and not is_url(value):
            raise ValueError(_("must be a folder in an object store, e.g. s3://bucket/run_a"))
        return value

    @field_validator("data", "to", "checkpoints", "base", "training", "cache")
    @classmethod
    def _here(cls, value: Path | None, field: ValidationInfo) -> Path | None:
        if value is not None and (url := url_of(value)):
            said = _("{url} is no path of this machine: mount it or copy it here")
            if field.field_name == "to":
                said = _("{url} is no path of this machine: give a folder here, and this as --mirror")
            raise ValueError(said.format(url=url))
        return value

    @field_validator("model")
    @classmethod
    def _known_model(cls, value: str) -> str:
        if value not in MODELS:
            raise ValueError(str(UnknownNameError("model", value, MODELS)))
        return value

    @field_validator("only")
    @classmethod
    def _names(cls, value: str | None) -> str | None:
        if value is not None and not all(part.strip() for part in value.split(",")):
            raise ValueError(_("must be names with commas between"))
        return value

    @field_validator("protocol", mode="before")
    @classmethod
    def _run_from_raw_data(cls, value: object) -> object:
        if value == "compat":
            raise ValueError(_("compat is what imported results are; raw data are evaluated by v1 only"))
        return value

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices, at least one."""
        return tuple(self.device.split(","))

    @property
    def local_workers(self) -> int:
        """Processes that compute on this machine; 1 on one device without a cluster is the evaluation's own."""
        return len(self.devices) if self.workers is None else self.workers

    @property
    def spread(self) -> bool:
        """Whether workers compute, rather than the evaluation's own process."""
        return self.cluster or self.local_workers != 1 or len(self.devices) > 1

    @property
    def run_name(self) -> str:
        """The run's name."""
        return self.name or self.to.absolute().name

    def settings(self) -> dict[str, Any]:
        """What decides the numbers, as plain data: two runs with equal settings on equal files give equal rows."""
        kept = self.model_dump(mode="json", exclude=_NOT_IN_THE_NUMBERS)
        # Names, not paths: a store can be moved and shared, and says nothing of the machine that it was made on.
        for key in ("data", "checkpoints", "base", "training"):
            if kept[key] is not None:
                kept[key] = Path(kept[key]).absolute().name
        return kept


def is_device(name: str) -> bool:
    """Whether ``name`` is the name of one device; not whether this machine has it."""
    return name in ("auto", "cpu", "cuda") or (name.startswith("cuda:") and name[5:].isdecimal())


def make_config(values: dict[str, Any], *, file: Path | None = None) -> EvaluationConfig:
    """A configuration from a TOML file and from values that win over it.

    Args:
        values: field -> value; ``None`` means not given.
        file: a TOML file whose table ``[evaluate]`` (or top level) holds fields.

    Raises:
        ConfigError: the file cannot be read, or a value is wrong; names the field.
    """
    merged: dict[str, Any] = {}
    if file is not None:
        merged.update(_from_file(file))
    merged.update({key: value for key, value in values.items() if value is not None})
    try:
        return EvaluationConfig.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        place = place_of(first)
        option = f"--{place.replace('_', '-')}"
        where = f"{file}: {place}" if file is not None and place not in values else option
        if first["type"] == "missing":
            said = _("missing option {option}").format(option=option)
            raise ConfigError(said, _("see lorascope evaluate --help")) from None
        raise ConfigError(f"{where}: {words_of(first)}", _("see lorascope evaluate --help")) from None


def _from_file(path: Path) -> dict[str, Any]:
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        said = _("{path}: cannot be read ({reason})").format(path=path, reason=error)
        raise ConfigError(said, _("check --config")) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_("{path}: not valid TOML: {reason}").format(path=path, reason=error)) from None
    table = raw.get("evaluate", raw)
    if not isinstance(table, dict):
        raise ConfigError(_("{path}: {place} must be a table").format(path=path, place="evaluate"))
    return dict(table)
