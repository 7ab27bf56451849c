"""The rows of a large database: messages of 120 days, with ratings, corrections, reviews and payments."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from glas.db.correction_tables import CorrectionRow
from glas.db.review_tables import ReviewRow
from glas.db.second_tables import SecondHypothesisRow
from glas.db.tables import ConsentRow, TransactionRow, TranscriptionRow, UserRow
from glas.domain.people import CONSENT_VERSION, Role

ADMIN: Final = 10_000_001
"""Telegram id of the person who looks at the pages, and who has sent most of the messages."""
SAID: Final = "сегодня встретимся у метро в семь часов вечера и пойдём смотреть новую выставку"
WORDS: Final = SAID.split()


def rows(n_messages: int, n_people: int) -> dict[type, list[dict[str, Any]]]:
    """Make the rows: messages of 120 days, a quarter rated, a twentieth corrected, a hundredth failed."""
    luck = random.Random(1)  # noqa: S311 - the same rows each time
    now = datetime.now(UTC)
    people: list[dict[str, Any]] = [
        {
            "id": number,
            "tg_id": ADMIN if number == 1 else 20_000_000 + number,
            "registration_datetime": now - timedelta(days=120),
            "cash_hundredths": 0,
            "role": int(Role.ADMIN if number == 1 else Role.USER),
            "is_reviewer": False,
            "is_banned": False,
            "locale": "ru",
        }
        for number in range(1, n_people + 1)
    ]
    consents = [
        {
            "user_id": one["id"],
            "purpose": purpose,
            "granted": purpose == "service" or luck.random() < 0.5,
            "text_version": CONSENT_VERSION,
            "creation_datetime": now,
        }
        for one in people
        for purpose in ("service", "training")
    ]
    messages: list[dict[str, Any]] = []
    corrections: list[dict[str, Any]] = []
    ledger: list[dict[str, Any]] = []
    for number in range(1, n_messages + 1):
        # Some people send most of the messages.
        user = people[min(int(luck.paretovariate(0.7)) - 1, n_people - 1) if number % 2 else number % n_people]
        message = _message(number, user["id"], n_messages, now, luck)
        messages.append(message)
        if message["score"]:
            ledger.append(_entry(message, "rating", 80))
            user["cash_hundredths"] += 80
        if message["status"] == "done" and luck.random() < 0.05:
            ledger.append(_entry(message, "correction", 50))
            user["cash_hundredths"] += 50
            corrections.append(
                {
                    "transcription_id": number,
                    "reference": " ".join([*message["text"].split()[1:], "слово"]),
                    "rank": luck.choice(["author", "reviewer", "agreed", "doubtful"]),
                    "creation_datetime": message["creation_datetime"],
                    "changed_datetime": message["creation_datetime"],
                }
            )
    return {
        UserRow: people,
        ConsentRow: consents,
        TranscriptionRow: messages,
        CorrectionRow: corrections,
        TransactionRow: ledger,
        SecondHypothesisRow: [_second(one, luck) for one in messages[-2000:] if one["status"] == "done"],
        ReviewRow: [_review(one) for one in messages[::20] if one["status"] == "done"],
    }


def _message(number: int, user_id: int, n_messages: int, now: datetime, luck: random.Random) -> dict[str, Any]:
    is_done = luck.random() < 0.99
    time_of_it = now - timedelta(days=120 * (1 - number / n_messages))
    words = " ".join(luck.choice(WORDS) for _ in range(luck.randint(5, 40)))
    return {
        "id": number,
        "user_id": user_id,
        "bot_id": 1,
        "chat_id": user_id,
        "message_id": number,
        "attempt": 1,
        "file_id": f"file-{number:050}",
        "file_unique_id": f"unique-{number}",
        "media_kind": "voice",
        "is_forwarded": False,
        "duration_s": luck.uniform(2, 60) if is_done else None,
        "status": "done" if is_done else "failed",
        "failure_code": None if is_done else luck.choice(["audio_corrupt", "overloaded"]),
        "text": words if is_done else None,
        "confidence": luck.uniform(0.4, 1) if is_done else None,
        "model": "whisper-base-ru" if is_done else None,
        "model_version": ("0123456789ab", "ba9876543210")[number * 2 // (n_messages + 1)] if is_done else None,
        "fingerprint": f"{number:064x}",
        "score": luck.choice([1, 2, 3]) if is_done and luck.random() < 0.25 else 0,
        "audio_key": f"{number}/{number}_audio.ogg",
        "audio_sha256": f"{number:064x}",
        "audio_size_bytes": 20_000,
        "creation_datetime": time_of_it,
        "changed_datetime": time_of_it,
        "change_sequence": number if is_done else 0,
    }


def _second(message: dict[str, Any], luck: random.Random) -> dict[str, Any]:
    return {
        "transcription_id": message["id"],
        "text": message["text"].replace(luck.choice(WORDS), "слово"),
        "model": "whisper-base-ru",
        "model_version": "cccccccccccc",
        "creation_datetime": message["creation_datetime"],
    }


def _review(message: dict[str, Any]) -> dict[str, Any]:
    """Make the review of a message by one of five reviewers, among them the administrator."""
    others = [number for number in range(1, 6) if number != message["user_id"]]
    return {
        "transcription_id": message["id"],
        "reviewer_id": others[message["id"] // 20 % len(others)],
        "verdict": "accept",
        "reference": message["text"],
        "is_agreed": False,
        "creation_datetime": message["creation_datetime"],
    }


def _entry(message: dict[str, Any], reason: str, amount: int) -> dict[str, Any]:
    return {
        "user_id": message["user_id"],
        "amount_hundredths": amount,
        "reason": reason,
        "transcription_id": message["id"],
        "date_of_transaction": message["creation_datetime"],
    }
