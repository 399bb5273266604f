"""Exit codes of worker processes."""

REFUSED = 3  # the job does not want this worker: starting it again would not help
HUNG = 75  # its shard did not end within its time limit
