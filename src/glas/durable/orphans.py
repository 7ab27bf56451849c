"""Work that this process has claimed and does not run: the connection broke after the claim, or under the work.

Left as it is, it would hold up its person until the next start.
"""

from collections.abc import Collection

import structlog
from dbos import DBOS
from dbos._utils import INTERNAL_QUEUE_NAME

_log = structlog.stdlib.get_logger("glas.durable")


class Orphans:
    """Finds such work and puts it back into its queue."""

    def __init__(self, slot: str) -> None:
        self._slot = slot
        self._idle: set[str] = set()

    def put_back(self, dbos: DBOS, ours: Collection[str]) -> None:
        """Put back what is idle for the second time in a row: seen once, it may just be being begun. Blocks.

        Args:
            dbos: the running engine; what it runs it tells nobody but by private names.
            ours: the work that the database says this process is doing.
        """
        idle = set(ours) - set(dbos._active_workflows_set.activeList())  # noqa: SLF001
        for workflow_id in sorted(idle & self._idle):
            # Without its name, which holds numbers of people and chats.
            _log.warning("claimed work did not run; it is put back")
            dbos._sys_db.reenqueue_for_recovery(workflow_id, [self._slot], INTERNAL_QUEUE_NAME)  # noqa: SLF001
        self._idle = idle
