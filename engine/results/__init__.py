"""A run on disk <-> Polars frames: discovery, the native store, the legacy import, single tables."""
