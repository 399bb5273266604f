"""Measurements that are run by hand; see benchmarks/README.md. Timings depend on the machine: read the ratios."""
