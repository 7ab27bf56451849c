"""Send the picture above the answer to /start: first as an upload, later by the file id that Telegram returned."""

from pathlib import Path

import structlog
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import FSInputFile, InlineKeyboardMarkup, Message

# Rendered from the drawing beside it by `make picture`.
START = Path(__file__).parent / "pictures" / "start.png"

_log = structlog.stdlib.get_logger("glas.tg_bot")


class Picture:
    """A picture that is uploaded to Telegram once, and sent many times."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file_id: str | None = None

    async def answer(self, message: Message, caption: str, keyboard: InlineKeyboardMarkup) -> None:
        """Answer with the picture and a caption; if the chat permits no pictures, answer with the caption as text."""
        try:
            sent = await self._photo(message, caption, keyboard)
        except TelegramBadRequest as error:
            _log.warning("the picture cannot be sent", error=error.message)
            await message.answer(caption, reply_markup=keyboard)
            return
        if sent.photo:
            self._file_id = sent.photo[-1].file_id

    async def _photo(self, message: Message, caption: str, keyboard: InlineKeyboardMarkup) -> Message:
        if self._file_id is not None:
            try:
                return await message.answer_photo(self._file_id, caption=caption, reply_markup=keyboard)
            except TelegramBadRequest:
                self._file_id = None  # Telegram does not know the id any more
        return await message.answer_photo(FSInputFile(self._path), caption=caption, reply_markup=keyboard)
