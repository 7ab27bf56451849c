"""Answer /start, /help and /balance; answer a written message with a hint to send a recording."""

from aiogram import Router
from aiogram.filters import Command, CommandStart
from aiogram.types import Message

from glas.clients.db_assist import DbAssistClient
from glas.clients.nn_service import NnServiceClient
from glas.domain.errors import ServiceError
from glas.domain.people import CONSENT_VERSION, Locale, Purpose, Role, User
from glas.domain.rewards import BETA_TESTER_HUNDREDTHS
from glas.tg_bot.talk.keyboards import Keyboards
from glas.tg_bot.talk.languages import locale_of
from glas.tg_bot.talk.phrases import Phrases, Say, coins
from glas.tg_bot.talk.picture import Picture


def make_router() -> Router:
    """Make the router that receives /start, /help and /balance."""
    router = Router()
    router.message.register(on_start, CommandStart())
    router.message.register(on_help, Command("help"))
    router.message.register(on_balance, Command("balance"))
    return router


def make_last_router() -> Router:
    """Make the router that receives messages that no other router accepts."""
    router = Router()
    router.message.register(on_text)
    return router


async def on_start(
    message: Message,
    *,
    user: User | None,
    db_assist: DbAssistClient,
    phrases: Phrases,
    keyboards: Keyboards,
    picture: Picture,
    admins: frozenset[int],
) -> None:
    """Register a person, explain how recordings are used, and ask for the consent to training.

    The command works only in private chats, because only there the id of the chat is the id of the person.
    """
    person = message.chat.id
    is_known = user is not None
    if user is None:
        user = await db_assist.register(person, locale=locale_of(message.from_user))
        user = await db_assist.set_consent(person, Purpose.SERVICE, granted=True, text_version=CONSENT_VERSION)
    if person in admins and user.role is not Role.ADMIN:
        user = await db_assist.set_role(person, Role.ADMIN)
    say = phrases[user.locale]
    if is_known:
        await message.answer(say("start-again"))
        return
    given = Purpose.TRAINING in user.consents
    # Many who speak Russian use Telegram in English.
    app = (message.from_user.language_code if message.from_user else None) or Locale.RU
    others = [] if app == Locale.RU else [locale for locale in Locale if locale is not user.locale]
    keyboard = keyboards.start(given=given, asker=person, born_s=int(message.date.timestamp()), say=say, others=others)
    await picture.answer(message, say("start"), keyboard)


async def on_help(
    message: Message,
    *,
    user: User | None,
    nn_service: NnServiceClient,
    admins: frozenset[int],
    page_url: str | None,
    say: Say,
    locale: Locale,
) -> None:
    """Send an explanation of the bot, with the title of the default model.

    In a private chat with a reviewer or an administrator, the explanation also lists the commands for this role.
    """
    parts = [say("help"), say("help-words")]
    if page_url is not None:
        parts.append(say("help-web"))
    is_private = message.chat.type == "private"
    is_admin = is_private and message.chat.id in admins
    if is_private and (is_admin or (user is not None and user.is_reviewer)):
        parts.append(say("help-reviewer"))
    if is_admin:
        parts += [say("help-admin"), say("help-admin-reviewers")]
    if model := await serving(nn_service, locale):
        parts.append(say("help-model", model=model))
    await message.answer("\n\n".join(parts))


async def serving(nn_service: NnServiceClient, locale: Locale) -> str | None:
    """Return the title of the default model; None if nn_service does not answer."""
    try:
        return (await nn_service.health()).title[locale]
    except ServiceError:
        return None


async def on_balance(message: Message, user: User | None, say: Say, locale: Locale) -> None:
    """Send to a person the number of their coins, and how many more coins they need to become a beta-tester.

    Beta-testers are people with a higher daily limit.
    """
    if user is None:
        await message.answer(say("not-registered"))
        return
    role = say(f"role-{user.role.value}")
    text = say("balance", coins=coins(user.cash_hundredths, locale), role=role)
    if user.role is Role.USER:
        left = coins(BETA_TESTER_HUNDREDTHS - user.cash_hundredths, locale)
        text += "\n" + say("balance-left", coins=left)
    await message.answer(text)


async def on_text(message: Message, say: Say) -> None:
    """Answer a written message with a hint to send a recording."""
    if message.chat.type == "private":
        await message.answer(say("text-hint"))
