"""A training's configuration, with everything that makes one awkward to edit."""

from __future__ import annotations

# The form of the training code's own files: hydra, fvcore schedules, comments, references.
TRAINING = """\
# Strategy B: heads and the last third of the blocks
defaults:
  - default_dataset.yaml

exp_name: strategy_b   # change me
max_epochs: 50
accum_steps: 2    # no blanks at the end

lora:
  enabled: true
  rank: 16        # of both factors
  alpha: 32
  dropout: 0.05
  target_modules:
    - "depth_head.*"
    - "aggregator.frame_blocks.1[6-9].*"   # 16 to 19
    - aggregator.frame_blocks.2[0-3].*
    - "aggregator.global_blocks.1[6-9].*"
    - 'aggregator.global_blocks.2[0-3].*'

checkpoint:
  save_dir: logs/${exp_name}/ckpts
  save_freq: 5
  resume_checkpoint_path: /weights/model.pt
  strict: False

optim:
  optimizer:
    _target_: torch.optim.AdamW
    lr: 5e-5
    weight_decay: 0.05
  options:
    lr:
      - scheduler:
          _target_: fvcore.common.param_scheduler.CompositeParamScheduler
          schedulers:
            - _target_: fvcore.common.param_scheduler.LinearParamScheduler
              start_value: 1e-8
              end_value: 5e-5
            - _target_: fvcore.common.param_scheduler.CosineParamScheduler
              start_value: 5e-5
              end_value: 1e-8
          lengths: [0.05, 0.95]
          interval_scaling: ['rescaled', 'rescaled']
    weight_decay:
      - scheduler:
          _target_: fvcore.common.param_scheduler.ConstantParamScheduler
          value: 0.05
"""
