"""Call Telegram's Bot API: stay within Telegram's limits, convert errors, and use the new ids of groups.

A group gets a new id when it becomes a supergroup.
"""
