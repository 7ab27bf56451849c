"""Test the bot's metrics: fixed labels, and times only for answered recordings."""

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramForbiddenError, TelegramNetworkError
from aiogram.methods import GetMe, TelegramMethod
from aiogram.methods.base import Response

from glas.tg_bot.api.counting import Counting
from glas.tg_bot.metrics import NOT_ANSWERED, OK, REFUSED, Metrics


def lines(metrics: Metrics) -> list[str]:
    """Return the lines that Prometheus reads."""
    return metrics.render().decode().splitlines()


def test_labels_are_of_a_fixed_set() -> None:
    """An unknown code in the answer of another service does not become a label."""
    metrics = Metrics()
    for number in range(3):
        metrics.answered(f"code-of-a-person-{number}", 1.0)
        metrics.update_failed(f"code-of-a-person-{number}")
        metrics.called(f"code-of-a-person-{number}")
    metrics.answered("overloaded", 1.0)
    found = lines(metrics)
    assert 'glas_bot_answers_total{outcome="other"} 3.0' in found
    assert 'glas_bot_updates_failed_total{code="other"} 3.0' in found
    assert 'glas_bot_telegram_calls_total{outcome="other"} 3.0' in found
    assert 'glas_bot_answers_total{outcome="overloaded"} 1.0' in found
    assert not any("of-a-person" in line for line in found)


def test_a_time_is_counted_only_of_what_was_answered() -> None:
    """Recordings without an answer, and recordings that were requested a day later, are not in the times."""
    metrics = Metrics()
    metrics.answered(OK, 4.0)
    metrics.answered(REFUSED, -0.5)  # the clocks differ
    metrics.answered(OK, None)
    metrics.answered(NOT_ANSWERED, 0.1)
    found = lines(metrics)
    assert "glas_bot_answer_seconds_count 2.0" in found
    assert "glas_bot_answer_seconds_sum 4.0" in found
    assert 'glas_bot_answers_total{outcome="ok"} 2.0' in found
    assert 'glas_bot_answers_total{outcome="not_answered"} 1.0' in found


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TelegramNetworkError(GetMe(), "cut"), "telegram_unreachable"),
        (TimeoutError(), "telegram_unreachable"),
        (TelegramForbiddenError(GetMe(), "bot was blocked by the user"), "person_gone"),
    ],
)
async def test_calls_are_counted_by_outcome(error: Exception, code: str) -> None:
    """An error is counted, and is raised unchanged."""
    metrics, errors = Metrics(), [error]

    async def call(_bot: Bot, _method: TelegramMethod[object]) -> Response[object]:
        if errors:
            raise errors.pop()
        return Response(ok=True, result=None)

    with pytest.raises(type(error)):
        await Counting(metrics)(call, Bot("1:a"), GetMe())  # type: ignore[arg-type]
    await Counting(metrics)(call, Bot("1:a"), GetMe())  # type: ignore[arg-type]
    assert f'glas_bot_telegram_calls_total{{outcome="{code}"}} 1.0' in lines(metrics)
    assert 'glas_bot_telegram_calls_total{outcome="ok"} 1.0' in lines(metrics)
