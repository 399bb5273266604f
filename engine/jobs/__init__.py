"""Evaluations as jobs that outlive the terminal: start, look, follow, stop, go on. Imports no model library.

The job itself runs in a process of its own (:mod:`engine.cluster.job`); what is here talks to it through files in the
run's folder, so that it can be done from anywhere on the same file system.
"""
