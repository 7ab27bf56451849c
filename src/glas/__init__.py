"""Glas: Russian speech recognition that turns voice messages into text, and learns from corrections by its users."""

__version__ = "0.1.0"
