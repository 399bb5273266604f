"""Tables and checkpoints out of lorascope, atomically."""
