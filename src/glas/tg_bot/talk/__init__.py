"""Texts and buttons of the bot: messages in two languages, signed buttons, division of long texts."""
