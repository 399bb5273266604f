"""The training behind the sample runs: a small base model, and two LoRA fine-tunings of it, on synthetic streets."""
