"""What several test folders share: runs written to disk, and the program started from outside."""
