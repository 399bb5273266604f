"""Models and their LoRA checkpoints: the contract, VGGT, the small built-in model. Imports torch."""
