"""Telegram's API: calls within its rates, errors in our words, groups that moved."""
