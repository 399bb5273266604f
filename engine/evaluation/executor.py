"""Where shards are computed: the contract between the driver of an evaluation and whatever computes for it.

The driver (:mod:`engine.evaluation.runner`) alone knows the journal. An executor computes shards, each at least once,
writes their files, and says what became of them; the driver takes the first good answer of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from engine.dataset.model import Preparation, PreparedWindow
from engine.evaluation.plan import Plan
from engine.inference.sharing import SharingReport
from engine.schema import DeviceInfo, LoraInfo

# A shard that failed so often is set aside; the others go on.
ATTEMPTS = 3


@dataclass(frozen=True)
class Facts:
    """What is known of the models once they are loaded.

    Attributes:
        preparation: how images are prepared for them.
        weights_sha256: of the base.
        lora: the recipe that the checkpoints share.
        device: what they run on.
        problems: checkpoint -> why it could not be loaded.
    """

    preparation: Preparation
    weights_sha256: str
    lora: LoraInfo
    device: DeviceInfo
    problems: dict[str, str]


@dataclass(frozen=True)
class ShardDone:
    """A shard whose files are written.

    Attributes:
        number: which one.
        seconds: that it took.
        failed_windows: window id -> why it could not be read.
        failed_checkpoints: name -> why it could not be run.
        sharing: what the models shared so far on that worker; ``None`` where nothing is shared.
        worker: who computed it; empty for the driver's own process.
    """

    number: int
    seconds: float
    failed_windows: dict[int, str]
    failed_checkpoints: dict[str, str]
    sharing: SharingReport | None = None
    worker: str = ""


@dataclass(frozen=True)
class ShardFailed:
    """An attempt at a shard that failed.

    Attributes:
        number: which one.
        why: in a sentence.
        attempt: which attempt it was, from 1.
        set_aside: whether it was the last one.
        worker: who tried; empty for the driver's own process.
    """

    number: int
    why: str
    attempt: int
    set_aside: bool
    worker: str = ""


Outcome = ShardDone | ShardFailed


@dataclass(frozen=True)
class WorkerNews:
    """Something that became of a worker.

    Attributes:
        kind: ``worker_joined``, ``worker_lost`` or ``worker_refused``.
        worker: which one.
        why: why it was refused, or what is known of its loss; empty else.
    """

    kind: Literal["worker_joined", "worker_lost", "worker_refused"]
    worker: str
    why: str = ""


@dataclass
class Work:
    """What is to be computed.

    Attributes:
        todo: numbers of shards, in the order in which they are best computed.
        chance_depth: metres, the constant depth of ``chance``.
        dropped: checkpoints that are left out from now on; the driver adds to it.
        stopping: whether no further shard should be begun.
        began: called with the number of a shard, and who computes it, when it is begun.
        prepared: window id -> windows that the driver has read already; taken out by whoever uses them.
    """

    todo: tuple[int, ...]
    chance_depth: float
    dropped: set[str] = field(default_factory=set)
    stopping: Callable[[], bool] = lambda: False
    began: Callable[[int, str], None] = lambda _number, _worker: None
    prepared: MutableMapping[int, PreparedWindow] = field(default_factory=dict)


class Executor(Protocol):
    """Computes shards somewhere."""

    def load(self, plan: Plan) -> Facts:
        """Load the models where shards will be computed.

        Raises:
            LorascopeError: that is not possible.
        """

    def run(self, work: Work) -> Iterator[Outcome | WorkerNews]:
        """Compute the shards; ends when each is done or set aside, or when no further one should be begun.

        Raises:
            UsageError: settings are wrong.
            StorageError: files cannot be written; what is done stays.
        """

    def close(self) -> None:
        """Let go of what was loaded; harmless when called twice."""
