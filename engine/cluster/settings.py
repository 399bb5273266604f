"""How Dask is set up here. Imported before ``distributed``, which reads its settings when it is imported."""

from __future__ import annotations

import dask

LOST_SECONDS = 30  # a worker that says nothing for so long is given up

dask.config.set(
    {
        # A worker gets one shard; the next one waits here, so that a death costs one shard.
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.scheduler.worker-ttl": f"{LOST_SECONDS} s",
        "distributed.scheduler.allowed-failures": 3,
        "distributed.scheduler.work-stealing": False,
        # Its web pages would tell anybody what runs here; without routes there are none.
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        # Memory of a GPU is not what it would look after, and a worker that it pauses computes nothing.
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.terminate": False,
        "distributed.worker.profile.enabled": False,
        "distributed.comm.timeouts.connect": "30 s",
        "distributed.comm.timeouts.tcp": "60 s",
        "distributed.admin.tick.limit": "30 s",  # importing a model library may hold the interpreter for long
        "distributed.logging": {"distributed": "error", "distributed.worker": "critical"},
    }
)
