"""Handlers of commands, buttons and replies, for example for settings, ratings, corrections and personal data."""
