"""Texts and buttons of the bot: phrases in two languages, signed buttons, division of long texts."""
