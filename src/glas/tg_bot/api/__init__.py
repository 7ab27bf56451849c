"""Calls to Telegram's Bot API: they keep Telegram's limits, raise our own errors, and find moved groups."""
