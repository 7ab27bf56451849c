"""tg_bot: the Telegram bot.

Telegram sends messages and presses of buttons to a bot as updates. The bot stores each update in a database before it
confirms the update to Telegram, so no update is lost in a crash.
"""

from glas.tg_bot.api.types_on_demand import import_aiogram

# Before any module of the package imports aiogram.
import_aiogram()
