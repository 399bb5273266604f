"""Evaluations as the app sees them: the form, its presets, the jobs and what is shown of them. No screen in here."""
