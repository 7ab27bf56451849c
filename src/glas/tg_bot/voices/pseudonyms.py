"""Compute pseudonyms of people and chats, under which the duration of their recordings is counted.

A pseudonym is a hash of a Telegram id and a secret key. So nobody can compute the id from the data in the database
alone.

The key is derived from the bot's token, which the database does not contain. db_assist deletes the counted usage after
a day.
"""

import hashlib
import hmac

from glas.clients.db_assist_bodies import UsageRecord
from glas.domain.canary import N_BUCKETS


class Pseudonyms:
    """Computes pseudonyms with a key that is derived from the token of the bot."""

    def __init__(self, token: str) -> None:
        self._key = hashlib.sha256(b"glas usage\0" + token.encode()).digest()

    def party(self, party: int) -> str:
        """Return the pseudonym under which the recordings of a person or chat are counted."""
        return self._of(f"party:{party}")

    def judging(self, party: int) -> str:
        """Return the pseudonym for a separate count: the sound that a model processes to check corrections."""
        return self._of(f"judging:{party}")

    def bucket(self, party: int) -> int:
        """Return the bucket of a person or chat: a number from 0 to 99; see `glas.domain.canary`."""
        return int(self._of(f"bucket:{party}"), 16) % N_BUCKETS

    def record(self, party: str, recording: str, audio_s: float) -> UsageRecord:
        """Return the record with which db_assist counts the sound of a recording.

        Args:
            party: pseudonym that the method `party` or `judging` returned.
            recording: a name for this recording in the count. A second record with the same name and party is not
                counted.
            audio_s: duration of the recording in seconds.
        """
        return UsageRecord(recording=self._of(f"recording:{party}:{recording}"), party=party, audio_s=audio_s)

    def _of(self, name: str) -> str:
        return hmac.digest(self._key, name.encode(), "sha256").hex()
