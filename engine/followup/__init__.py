"""The next training: a starting configuration that goes on gently from a chosen checkpoint."""
