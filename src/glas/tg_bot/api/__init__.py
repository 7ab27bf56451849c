"""Call Telegram's Bot API: stay within Telegram's limits, convert errors, and replace former ids of groups.

A group gets a new id when Telegram converts the group to a supergroup.
"""
