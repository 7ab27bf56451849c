"""Calls to Telegram's Bot API: within Telegram's rates, with our own errors, and to the new number of moved groups."""
