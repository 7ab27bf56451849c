"""tg_bot: the Telegram bot.

The bot stores each update before it confirms the update to Telegram, so the work on the update continues after a crash.
"""

from glas.tg_bot.api.types_on_demand import import_aiogram

# Before any module of the package imports aiogram.
import_aiogram()
