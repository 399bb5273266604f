"""Sample runs that come with lorascope."""
