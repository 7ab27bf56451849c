"""tg_bot: the Telegram bot. It stores each update before it confirms it, so work on it continues after a crash."""

from glas.tg_bot.api.types_on_demand import import_aiogram

# Before any module of the package imports aiogram.
import_aiogram()
