"""Make the messages of /settings, for a person and for a group."""

from aiogram import Bot
from aiogram.types import Message

from glas.clients.db_assist import DbAssistClient
from glas.clients.nn_service import NnServiceClient
from glas.domain.people import Locale, Purpose, User
from glas.tg_bot.people.own_models import line_of_chat, line_of_person
from glas.tg_bot.talk.keyboards import Keyboards
from glas.tg_bot.talk.menus import Menu
from glas.tg_bot.talk.phrases import Say

_NAMES = {Locale.RU: "русский", Locale.EN: "English"}


class SettingsMenus:
    """Makes menus that show the present settings.

    Args:
        bot: the client of the Bot API; the settings of a group are stored separately for each bot.
        nn_service: client that returns which model is used.
        db_assist: client that reads the settings.
        keyboards: makes the buttons.
    """

    def __init__(self, bot: Bot, nn_service: NnServiceClient, db_assist: DbAssistClient, keyboards: Keyboards) -> None:
        self._bot = bot
        self._nn_service = nn_service
        self._db_assist = db_assist
        self._keyboards = keyboards

    async def of_person(self, user: User, message: Message, say: Say) -> Menu:
        """Make the menu with the settings of a person.

        `message` is the person's /settings, or the bot's message that shows the menu.
        """
        given = Purpose.TRAINING in user.consents
        own = await line_of_person(user.tg_id, self._nn_service, self._db_assist, say)
        lines = (
            say("settings", language=_NAMES[user.locale], consent=say("settings-on") if given else say("settings-off")),
            say("settings-news", news=say("settings-news-on") if user.wants_news else say("settings-news-off")),
            *filter(None, [own.text]),
        )
        keyboard = self._keyboards.settings(
            given=given,
            wants_news=user.wants_news,
            uses_own=own.is_used,
            asker=user.tg_id,
            born_s=int(message.date.timestamp()),
            say=say,
        )
        about = say("consent-stands") if given else f"{say('consent-ask')} {say('consent-commands')}"
        return Menu("\n".join(lines) + "\n\n" + about, keyboard)

    async def of_chat(self, message: Message, say: Say) -> Menu:
        """Make the menu with the settings of the group to which `message` was sent."""
        chat = await self._db_assist.chat(self._bot.id, message.chat.id)
        own = await line_of_chat(message.chat.id, self._nn_service, self._db_assist, say)
        mode = say("chat-auto") if chat.answers_automatically else say("chat-asked")
        keyboard = self._keyboards.chat(uses_own=own.is_used, born_s=int(message.date.timestamp()), say=say)
        return Menu("\n".join(filter(None, (say("chat-settings", mode=mode), own.text))), keyboard)
