"""Commands of administrators (`ADMIN_USER_IDS`): /stats, /grant, /ban, /reviewer, /repair.

An administrator is recognised by the Telegram id and not by the user name, because a user name can change.
"""

from decimal import Decimal, InvalidOperation

from aiogram import Bot, Router
from aiogram.filters import Command, CommandObject, Filter
from aiogram.types import Message

from glas.clients.db_assist import DbAssistClient
from glas.clients.nn_service import NnServiceClient
from glas.domain.errors import ConflictError, NotFoundError, UnknownPersonError
from glas.domain.messages import Score, Status
from glas.domain.people import Locale, Role
from glas.tg_bot.people.commands import serving
from glas.tg_bot.talk.phrases import Say, coins
from glas.tg_bot.talk.reasons import reason
from glas.tg_bot.voices.jobs import RepairJob

_GRANT_WORDS = 3


class FromAdmin(Filter):
    """Filter that accepts messages of administrators."""

    async def __call__(self, message: Message, admins: frozenset[int]) -> bool:
        """Return whether the sender is an administrator."""
        return message.from_user is not None and message.from_user.id in admins


def make_router() -> Router:
    """Make the router that receives the commands of administrators; if others send these commands, nothing happens."""
    router = Router()
    router.message.filter(FromAdmin())
    router.message.register(on_stats, Command("stats"))
    router.message.register(on_grant, Command("grant"))
    router.message.register(on_ban, Command("ban", "unban"))
    router.message.register(on_reviewer, Command("reviewer", "unreviewer"))
    router.message.register(on_repair, Command("repair"))
    return router


async def on_stats(
    message: Message, *, db_assist: DbAssistClient, nn_service: NnServiceClient, say: Say, locale: Locale
) -> None:
    """Answer /stats: send numbers about the use of the bot to an administrator."""
    found = await db_assist.statistics()
    text = say(
        "stats",
        users=found.n_users,
        active=found.n_active_users,
        done=found.n_transcriptions.get(Status.DONE, 0),
        failed=found.n_transcriptions.get(Status.FAILED, 0),
        pending=found.n_transcriptions.get(Status.PENDING, 0),
        minutes=round(found.audio_s / 60),
        bad=found.n_scores.get(Score.BAD, 0),
        normal=found.n_scores.get(Score.NORMAL, 0),
        best=found.n_scores.get(Score.BEST, 0),
        corrections=found.n_corrections,
        paid=coins(found.paid_hundredths, locale),
        model=await serving(nn_service, locale) or "—",
    )
    await message.answer(text)


async def on_grant(
    message: Message,
    *,
    bot: Bot,
    command: CommandObject,
    db_assist: DbAssistClient,
    admins: frozenset[int],
    say: Say,
    locale: Locale,
) -> None:
    """Answer /grant: give coins to a person, or take coins from the person.

    Each payment has a key, and db_assist makes only one payment with the same key. The key is computed from the ids of
    the message with the command. So if the command is carried out again after a crash, the coins are not given again.
    """
    wanted = _grant(command.args or "")
    if wanted is None or message.from_user is None:
        await message.answer(say("grant-how"))
        return
    person, hundredths, why = wanted
    if person not in admins and not await _is_known(person, db_assist):
        await message.answer(say("person-unknown", id=person))
        return
    admin = message.from_user.id
    try:
        await _make_admin(admin, db_assist)
        key = f"g:{bot.id}:{message.chat.id}:{message.message_id}"
        user = await db_assist.grant(admin, person, hundredths, reason=why, key=key)
    except (NotFoundError, ConflictError) as error:
        await message.answer(reason(error, locale))
        return
    await message.answer(say("granted", id=person, balance=coins(user.cash_hundredths, locale)))


async def _make_admin(person: int, db_assist: DbAssistClient) -> None:
    """Store that a person who is named in the settings is an administrator.

    Without this role in the database, the audit could not record the actions of this person.
    """
    await db_assist.register(person)
    await db_assist.set_role(person, Role.ADMIN)


async def _is_known(person: int, db_assist: DbAssistClient) -> bool:
    try:
        await db_assist.user(person)
    except UnknownPersonError:
        return False
    return True


def _grant(text: str) -> tuple[int, int, str] | None:
    """Parse the arguments of /grant: person, hundredths of a coin, reason. Return None if they are not valid."""
    words = text.split(maxsplit=_GRANT_WORDS - 1)
    if len(words) < _GRANT_WORDS or not words[0].isdecimal():
        return None
    try:
        amount = Decimal(words[1].replace(",", ".").replace("−", "-"))
        return int(words[0]), int(amount.scaleb(2).to_integral_exact()), words[2]
    except (InvalidOperation, ValueError, OverflowError):
        return None


async def on_ban(
    message: Message, *, command: CommandObject, db_assist: DbAssistClient, admins: frozenset[int], say: Say
) -> None:
    """Ban a person from using the bot, or end the ban; administrators cannot be banned."""
    text = (command.args or "").strip()
    if not text.isdecimal():
        await message.answer(say("ban-how"))
        return
    person = int(text)
    if command.command == "ban" and person in admins:
        await message.answer(say("ban-admin"))
        return
    if message.from_user is None:
        return
    admin = message.from_user.id
    await _make_admin(admin, db_assist)
    try:
        if command.command == "ban":
            await db_assist.ban(person, by=admin)
            await message.answer(say("banned", id=person))
        else:
            await db_assist.unban(person, by=admin)
            await message.answer(say("unbanned", id=person))
    except UnknownPersonError:
        await message.answer(say("person-unknown", id=person))


async def on_reviewer(message: Message, *, command: CommandObject, db_assist: DbAssistClient, say: Say) -> None:
    """Answer /reviewer: set whether a person may review recordings."""
    text = (command.args or "").strip()
    if not text.isdecimal():
        await message.answer(say("reviewer-how"))
        return
    if message.from_user is None:
        return
    admin = message.from_user.id
    await _make_admin(admin, db_assist)
    is_reviewer = command.command == "reviewer"
    try:
        await db_assist.set_reviewer(int(text), is_reviewer=is_reviewer, by=admin)
    except UnknownPersonError:
        await message.answer(say("person-unknown", id=text))
        return
    await message.answer(say("reviewer-set" if is_reviewer else "reviewer-unset", id=text))


async def on_repair(message: Message, *, bot: Bot, say: Say) -> RepairJob:
    """Answer /repair: start a search for lost recordings; the result is sent later, as a separate message."""
    await message.answer(say("repair-begun"))
    return RepairJob(
        bot_id=bot.id, chat_id=message.chat.id, message_id=message.message_id, time=message.date.isoformat()
    )
