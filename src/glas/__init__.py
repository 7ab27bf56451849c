"""Glas: Russian speech recognition that turns voice messages into text and learns from the people who use it."""

__version__ = "0.1.0"
