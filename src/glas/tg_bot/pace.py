"""Count the recordings that a party sends within a minute; a party is a person, or a chat if no person is known.

The bot counts a recording when it receives the recording. But the minute is determined by the times at which recordings
were sent. So people who sent recordings during an outage of the bot do not exceed the limit when all their recordings
arrive at the same time. With polling, one process receives and counts all recordings. With a webhook, each process
counts only the recordings that it receives.
"""

from collections import deque

from glas.tg_bot.voices.jobs import VoiceJob

_MINUTE_S = 60
_MOST = 500  # per person; more than any limit in the settings
_MANY_PEOPLE = 10_000


class Pace:
    """Counts the recordings of each party within the last minute."""

    def __init__(self) -> None:
        self._sent: dict[int, deque[tuple[int, int, int]]] = {}

    def count(self, job: VoiceJob) -> int:
        """Count a recording; return how many recordings the party sent within the minute that ends with this recording.

        The recording itself is included. If Telegram delivers its update a second time, the recording counts only once.
        """
        sent = self._sent.setdefault(job.party, deque(maxlen=_MOST))
        name = (job.date_s, job.chat_id, job.message_id)
        if name not in sent:
            sent.append(name)
        while sent[0][0] <= job.date_s - _MINUTE_S and sent[0] != name:
            sent.popleft()
        if len(self._sent) > _MANY_PEOPLE:
            self._forget_before(job.date_s - _MINUTE_S)
        return len(sent)

    def _forget_before(self, time_s: int) -> None:
        self._sent = {party: sent for party, sent in self._sent.items() if sent[-1][0] > time_s}
