"""Everything that a terminal shows: the commands and the app."""
