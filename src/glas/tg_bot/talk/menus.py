"""A message whose text and buttons belong together, as it is sent and later updated."""

from typing import NamedTuple

from aiogram import Bot
from aiogram.types import InlineKeyboardMarkup, Message

from glas.tg_bot.api.telegram import edit_text


class Menu(NamedTuple):
    """Text and buttons of a message."""

    text: str
    keyboard: InlineKeyboardMarkup

    async def answer(self, message: Message) -> None:
        """Send the menu as the answer to a message."""
        await message.answer(self.text, reply_markup=self.keyboard)

    async def update(self, message: Message, bot: Bot) -> None:
        """Show the menu in a message of the bot."""
        await edit_text(bot, message.chat.id, message.message_id, self.text, self.keyboard)
