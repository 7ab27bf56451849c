"""Call Telegram's Bot API: keep Telegram's limits, raise errors of Glas, and use the new ids of groups.

A group gets a new id when it becomes a supergroup.
"""
