"""Folders in object stores: runs that are brought here to be looked at, and the mirror of an evaluation."""
