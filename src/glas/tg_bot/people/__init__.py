"""Handlers of commands, buttons and replies: settings, ratings, corrections, personal data."""
