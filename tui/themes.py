"""The app's own themes: dark, light, and one that does not rely on colour."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="lorascope-dark",
    primary="#6ea8fe",
    secondary="#9d8cff",
    accent="#f2b84b",
    success="#5fd38d",
    warning="#f0a04b",
    error="#ff6b6b",
    foreground="#d8dee9",
    background="#12151c",
    surface="#181c25",
    panel="#222836",
    dark=True,
)

LIGHT = Theme(
    name="lorascope-light",
    primary="#1f5fbf",
    secondary="#6a4fc4",
    accent="#9a5b00",
    success="#0b7a3e",
    warning="#a85b00",
    error="#b3261e",
    foreground="#1b1f27",
    background="#fbfbf8",
    surface="#f3f3ef",
    panel="#e6e6e0",
    dark=False,
)

# Every meaning is also a sign (▲ ▼ ≈ ● ◆) or a weight; this theme leaves only those.
MONO = Theme(
    name="lorascope-mono",
    primary="#ffffff",
    secondary="#d0d0d0",
    accent="#ffffff",
    success="#ffffff",
    warning="#ffffff",
    error="#ffffff",
    foreground="#e4e4e4",
    background="#000000",
    surface="#000000",
    panel="#303030",
    dark=True,
)

THEMES = (DARK, LIGHT, MONO)
DEFAULT_THEME = DARK.name
