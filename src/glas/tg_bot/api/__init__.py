"""Calls to Telegram's Bot API: they keep Telegram's limits, raise errors of Glas, and follow groups that have moved."""
