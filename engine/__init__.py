"""The engine of lorascope: evaluations of LoRA checkpoints as Polars frames. It knows no screen."""

__version__ = "0.1.0"
