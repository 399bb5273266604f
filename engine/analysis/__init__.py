"""Pure functions from Polars frames to Polars frames: no input, no output, no screen."""
