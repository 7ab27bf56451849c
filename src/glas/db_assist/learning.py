"""Store and return the steps of rounds of learning."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.learning_bodies import RoundRecord, StepEntry, StepRecord
from glas.db.model_tables import LearningStepRow
from glas.db.session import insert
from glas.domain.model_records import LearningStep

_ORDER = list(LearningStep)


async def record(name: str, step: LearningStep, entry: StepEntry, *, session: AsyncSession) -> None:
    """Store a step of the round with this name; if this step of the round is stored already, replace it."""
    values = {
        "began_datetime": entry.began,
        "finished_datetime": entry.finished,
        "details": entry.details,
    }
    new = insert(session, LearningStepRow).values(round=name, step=step.value, **values)
    await session.execute(new.on_conflict_do_update(index_elements=["round", "step"], set_=values))


async def rounds(limit: int, *, session: AsyncSession) -> tuple[RoundRecord, ...]:
    """Return the last rounds, sorted by the beginning of their first steps, the newest first."""
    row = LearningStepRow
    began = func.min(row.began_datetime)
    last = select(row.round).group_by(row.round).order_by(began.desc(), row.round).limit(limit)
    names = (await session.scalars(last)).all()
    steps = (await session.scalars(select(row).where(row.round.in_(names)))).all()
    return tuple(RoundRecord(name=name, steps=_ordered([one for one in steps if one.round == name])) for name in names)


def _ordered(rows: list[LearningStepRow]) -> tuple[StepRecord, ...]:
    found = [StepRecord.model_validate(row, from_attributes=True) for row in rows]
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.step)))
