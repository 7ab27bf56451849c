"""Record models that were judged, and decide about them: which one serves, which one is taken back."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.model_record_bodies import (
    DecisionRecord,
    DecisionRequest,
    DecisionResult,
    ModelEntry,
    ModelRecord,
)
from glas.db.model_tables import AnnouncementRow, ModelDecisionRow, ModelRow
from glas.db.session import insert
from glas.db_assist import announcements, model_people, people
from glas.domain.errors import ConflictError, ForbiddenError, InvalidParameterError, NotFoundError
from glas.domain.model_records import AnnouncementKind, ModelState
from glas.domain.model_ref import ModelRef
from glas.domain.people import Role

_JUDGED = (ModelState.CANDIDATE, ModelState.REFUSED)
_DECIDED = (ModelState.CHAMPION, ModelState.REFUSED, ModelState.ROLLED_BACK, ModelState.RETIRED)


async def record(entry: ModelEntry, *, session: AsyncSession) -> ModelRecord:
    """Record a model that was judged, whom it learnt from, what they will be told, and what was decided at once.

    One that is known gets the verdict and the decision, unless those are its last ones.

    Raises:
        ConflictError: it is retired.
    """
    row, is_new = await _row_of(entry, session=session)
    if row.state == ModelState.RETIRED:
        raise ConflictError("this model is retired")
    decision = ModelDecisionRow(
        model_id=row.id,
        state=entry.state.value,
        is_forced=entry.is_forced,
        operator=entry.operator,
        reason=entry.reason,
        verdict=None if entry.verdict is None else entry.verdict.model_dump(mode="json"),
        creation_datetime=people.now(),
    )
    if is_new:
        await model_people.add(row.id, entry.message_ids, session=session)
        await announcements.add_news(row.id, entry.news, session=session)
    if not await _is_last(decision, session=session):
        if entry.former is not None and entry.former != ModelRef(name=entry.name, version=entry.version):
            await _note_former(entry.former, session=session)
        session.add(decision)
        if entry.state not in _JUDGED or row.state in _JUDGED:
            await _become(row, entry.state, session=session)
    await session.flush()
    return await find(row.id, session=session)


async def decide(model_id: int, wanted: DecisionRequest, *, session: AsyncSession) -> DecisionResult:
    """Change the state of a model; the one before serves again where the champion is taken back.

    Raises:
        NotFoundError: no such model or person.
        ForbiddenError: the person is no administrator.
        ConflictError: it has another state than was expected, or cannot get this one.
        InvalidParameterError: nobody can decide that.
    """
    row = await session.get(ModelRow, model_id, with_for_update=True)
    if row is None:
        raise _unknown()
    if wanted.state not in _DECIDED:
        raise InvalidParameterError("expected champion, refused, rolled_back or retired", param="state")
    user_id = None if wanted.tg_id is None else await _administrator(wanted.tg_id, session=session)
    if not await _is_made(wanted.key, session=session) and row.state != wanted.state:
        _check(row, wanted)
        decision = ModelDecisionRow(
            model_id=row.id,
            state=wanted.state.value,
            is_forced=False,
            user_id=user_id,
            operator=wanted.operator,
            reason=wanted.reason,
            key=wanted.key,
            creation_datetime=people.now(),
        )
        session.add(decision)
        await _become(row, wanted.state, session=session)
        await session.flush()
    elif wanted.expected is not None and not await _is_made(wanted.key, session=session):
        raise ConflictError(f"expected a model that is {wanted.expected}, got one that is {row.state}")
    champion = await _champion(session=session)
    return DecisionResult(
        model=await find(row.id, session=session),
        champion=None if champion is None else ModelRef(name=champion.name, version=champion.version),
    )


async def find(model_id: int, *, session: AsyncSession) -> ModelRecord:
    """Return the record of a model.

    Raises:
        NotFoundError: there is none.
    """
    found = [one for one in await all_models(session=session) if one.id == model_id]
    if not found:
        raise _unknown()
    return found[0]


async def all_models(
    *, state: ModelState | None = None, name: str | None = None, version: str | None = None, session: AsyncSession
) -> tuple[ModelRecord, ...]:
    """Return the records, the newest first; there are dozens of them at most."""
    query = select(ModelRow).order_by(ModelRow.id.desc())
    for column, value in ((ModelRow.state, state), (ModelRow.name, name), (ModelRow.version, version)):
        if value is not None:
            query = query.where(column == value)
    rows = (await session.scalars(query)).all()
    decisions = (await session.scalars(select(ModelDecisionRow).order_by(ModelDecisionRow.id))).all()
    is_news = AnnouncementRow.kind == AnnouncementKind.NEWS.value
    told = (await session.scalars(select(AnnouncementRow.model_id).where(is_news))).all()
    willing = await model_people.count_willing(session=session)
    return tuple(
        ModelRecord(
            **{field: getattr(row, field) for field in _FIELDS},
            n_withdrawn=max(0, row.n_people - willing.get(row.id, 0)),
            n_news=told.count(row.id),
            decisions=tuple(
                DecisionRecord.model_validate(one, from_attributes=True) for one in decisions if one.model_id == row.id
            ),
        )
        for row in rows
    )


_FIELDS = (
    *("id", "name", "version", "state", "base", "dataset_version", "lineage", "n_people"),
    *("creation_datetime", "champion_datetime"),
)


async def _row_of(entry: ModelEntry, *, session: AsyncSession) -> tuple[ModelRow, bool]:
    """Return the row of a model, and whether it is new."""
    values = entry.model_dump(mode="json", include={"name", "version", "base", "dataset_version", "lineage"})
    values |= {"n_people": entry.n_people, "creation_datetime": people.now()}
    new = insert(session, ModelRow).values(**values, state=ModelState.CANDIDATE.value)
    made = await session.execute(new.on_conflict_do_nothing(index_elements=["name", "version"]).returning(ModelRow.id))
    is_new = made.scalar_one_or_none() is not None
    known = select(ModelRow).where(ModelRow.name == entry.name, ModelRow.version == entry.version)
    return (await session.scalars(known.with_for_update())).one(), is_new


async def _note_former(ref: ModelRef, *, session: AsyncSession) -> None:
    """Make the model that serves the champion of the table; somebody may have chosen it without telling."""
    entry = ModelEntry(name=ref.name, version=ref.version, state=ModelState.CHAMPION, operator="-")
    row, _ = await _row_of(entry, session=session)
    await _become(row, ModelState.CHAMPION, session=session)


async def _become(row: ModelRow, state: ModelState, *, session: AsyncSession) -> None:
    """Give a model a state, with what follows from it for others."""
    if row.state == state:
        return
    was_champion = row.state == ModelState.CHAMPION
    if state is ModelState.CHAMPION:
        champion = await _champion(session=session)
        if champion is not None:
            await _leave(champion, ModelState.REPLACED, session=session)
        row.champion_datetime = people.now()
        row.state = state.value
    else:
        await _leave(row, state, session=session)
    if was_champion and (before := await _before(row.champion_datetime, session=session)) is not None:
        before.state = ModelState.CHAMPION.value
    await session.flush()


async def _leave(row: ModelRow, state: ModelState, *, session: AsyncSession) -> None:
    """Give a model a state in which it does not serve; at once, since there may be one champion only."""
    row.state = state.value
    if state is not ModelState.CANDIDATE:
        await announcements.drop_unsent_news(row.id, session=session)
    await session.flush()


async def _champion(*, session: AsyncSession) -> ModelRow | None:
    query = select(ModelRow).where(ModelRow.state == ModelState.CHAMPION.value)
    return (await session.scalars(query.with_for_update())).one_or_none()


async def _before(moment: datetime | None, *, session: AsyncSession) -> ModelRow | None:
    """Return the model that served before one that became the champion at a moment."""
    query = select(ModelRow).where(ModelRow.state == ModelState.REPLACED.value)
    if moment is not None:
        query = query.where(ModelRow.champion_datetime <= moment)
    return (await session.scalars(query.order_by(ModelRow.champion_datetime.desc()).limit(1))).one_or_none()


def _check(row: ModelRow, wanted: DecisionRequest) -> None:
    if wanted.expected is not None and row.state != wanted.expected:
        raise ConflictError(f"expected a model that is {wanted.expected}, got one that is {row.state}")
    if row.state == ModelState.RETIRED:
        raise ConflictError("this model is retired")
    if wanted.state is ModelState.REFUSED and row.state != ModelState.CANDIDATE:
        raise ConflictError(f"expected a candidate, got a model that is {row.state}")
    if wanted.state is ModelState.ROLLED_BACK and row.state != ModelState.CHAMPION:
        raise ConflictError(f"expected the champion, got a model that is {row.state}")


async def _administrator(tg_id: int, *, session: AsyncSession) -> int:
    row = await people.load(tg_id, session=session)
    if row.role != Role.ADMIN or row.is_banned:
        raise ForbiddenError("only an administrator decides about models")
    return row.id


async def _is_made(key: str | None, *, session: AsyncSession) -> bool:
    """Whether a decision with this key was made."""
    made = select(ModelDecisionRow.id).where(ModelDecisionRow.key == key)
    return key is not None and await session.scalar(made) is not None


async def _is_last(decision: ModelDecisionRow, *, session: AsyncSession) -> bool:
    """Whether the last decision about a model says the same."""
    mine = select(ModelDecisionRow).where(ModelDecisionRow.model_id == decision.model_id)
    last = (await session.scalars(mine.order_by(ModelDecisionRow.id.desc()).limit(1))).one_or_none()
    said = ("state", "is_forced", "operator", "reason", "verdict")
    return last is not None and all(getattr(last, one) == getattr(decision, one) for one in said)


def _unknown() -> NotFoundError:
    return NotFoundError("expected a model that was judged here")
