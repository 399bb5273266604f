"""Computing evaluations: the process of a job, workers on this machine, and workers anywhere."""
