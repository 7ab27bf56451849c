"""React to the buttons ❌ 👌 ✅: send the score to db_assist, and show the result.

db_assist decides whether coins are paid for the score.
"""

from aiogram import Bot, Router
from aiogram.types import CallbackQuery

from glas.clients.db_assist import DbAssistClient
from glas.clients.db_assist_bodies import Reward
from glas.domain.errors import ConflictError, ForbiddenError, NotFoundError
from glas.domain.messages import Score
from glas.domain.people import Locale, User
from glas.tg_bot.api.telegram import edit_keyboard, said
from glas.tg_bot.talk.keyboards import RATE, Keyboards
from glas.tg_bot.talk.phrases import Say, coins
from glas.tg_bot.talk.presses import Pressed, message_of, toast


def make_router() -> Router:
    """Make the router that receives presses of the buttons ❌ 👌 ✅."""
    router = Router()
    router.callback_query.register(on_rating, Pressed(RATE))
    return router


async def on_rating(
    query: CallbackQuery,
    *,
    values: tuple[int, ...],
    bot: Bot,
    user: User | None,
    db_assist: DbAssistClient,
    keyboards: Keyboards,
    say: Say,
    locale: Locale,
) -> None:
    """Store a person's score for a text, and show how many coins the person gets for the score."""
    transcription_id, score = values[0], Score(values[1])
    if user is None:
        # The button belongs to the person who pressed it, so their data was deleted meanwhile.
        await toast(bot, query, say("not-registered"), is_alert=True)
        return
    try:
        result = await db_assist.rate(transcription_id, query.from_user.id, score)
    except ForbiddenError:
        await toast(bot, query, say("rate-foreign"), is_alert=True)
        return
    except (NotFoundError, ConflictError):
        await toast(bot, query, say("rate-stale"), is_alert=True)
        return
    await toast(bot, query, _thanks(result, say, locale))
    message = message_of(query)
    if message is not None:
        born_s = int(message.date.timestamp())
        keyboard = keyboards.rating(transcription_id, asker=query.from_user.id, born_s=born_s, say=say, score=score)
        await edit_keyboard(bot, message.chat.id, message.message_id, keyboard)
    await congratulate(bot, query.from_user.id, result, say, locale)


async def congratulate(bot: Bot, person: int, result: Reward, say: Say, locale: Locale) -> None:
    """Tell a person that they have become a beta-tester."""
    if result.became_beta_tester:
        text = say("beta-tester", coins=coins(result.balance_hundredths, locale))
        await said(lambda: bot.send_message(person, text))


def _thanks(result: Reward, say: Say, locale: Locale) -> str:
    balance = coins(result.balance_hundredths, locale)
    if not result.is_first:
        return say("rated-again", balance=balance)
    if result.paid_hundredths:
        return say("rated-paid", coins=coins(result.paid_hundredths, locale), balance=balance)
    if result.refusal_reason is not None:
        return say(f"unpaid-{result.refusal_reason}")
    return say("rated", balance=balance)
