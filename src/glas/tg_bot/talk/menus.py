"""Send and update the text of a message together with its buttons."""

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
        """Replace the text and the buttons of a message of the bot by this menu."""
        await edit_text(bot, message.chat.id, message.message_id, self.text, self.keyboard)
