"""Plots for a terminal: what to draw (``spec``), how (``render``), and which figures there are (``presets``)."""
