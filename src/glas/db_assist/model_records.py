"""Store the models that the gate has judged, and the decisions about which model is the champion."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.clients.model_record_bodies import (
    ChoiceRequest,
    DecisionRecord,
    DecisionRequest,
    DecisionResult,
    ModelEntry,
    ModelRecord,
)
from glas.db.model_tables import AnnouncementRow, ModelDecisionRow, ModelRow
from glas.db.session import insert
from glas.db_assist import announcements, model_decisions, model_people, people
from glas.domain.errors import ConflictError, InvalidParameterError, NotFoundError
from glas.domain.model_records import AnnouncementKind, ModelState
from glas.domain.model_ref import ModelRef

_DECIDED = (ModelState.CHAMPION, ModelState.REFUSED, ModelState.ROLLED_BACK, ModelState.RETIRED)


async def record(entry: ModelEntry, *, session: AsyncSession) -> ModelRecord:
    """Store a model that the gate has judged, the people from whom it learnt, their news, and the decision about it.

    If the model has a record already, add the verdict and the decision to the record, unless they are equal to the last
    verdict and decision in the record.

    Raises:
        ConflictError: the model is retired.
    """
    row, is_new = await _row_of(entry, session=session)
    _refuse_retired(row)
    who = model_decisions.Decider(operator=entry.operator)
    verdict = None if entry.verdict is None else entry.verdict.model_dump(mode="json")
    why = model_decisions.Ground(reason=entry.reason, is_forced=entry.is_forced, verdict=verdict)
    if is_new:
        await model_people.add(row.id, entry.message_ids, session=session)
        await announcements.add_news(row.id, entry.news, session=session)
    if not await _is_last(model_decisions.drafted(row, entry.state, who, why), session=session):
        await _note_former(entry.former, entry.ref, session=session)
        await model_decisions.write(row, entry.state, who, why, session=session)
    await session.flush()
    return await find(row.id, session=session)


async def decide(model_id: int, wanted: DecisionRequest, *, session: AsyncSession) -> DecisionResult:
    """Change the state of a model; if the champion is rolled back or retired, the previous champion replaces it.

    Raises:
        NotFoundError: there is no such model or person.
        ForbiddenError: the person is not an administrator.
        ConflictError: the model does not have the state `wanted.expected`, or the new state cannot follow the present
            state.
        InvalidParameterError: a person cannot set this state.
    """
    row = await session.get(ModelRow, model_id, with_for_update=True)
    if row is None:
        raise _unknown()
    if wanted.state not in _DECIDED:
        raise InvalidParameterError("expected champion, refused, rolled_back or retired", param="state")
    who = await model_decisions.decider(wanted.tg_id, wanted.operator, session=session)
    if not await model_decisions.is_made(wanted.key, session=session):
        if row.state != wanted.state:
            await _check(row, wanted, session=session)
            why = model_decisions.Ground(reason=wanted.reason, is_forced=wanted.is_forced, key=wanted.key)
            await model_decisions.write(row, wanted.state, who, why, session=session)
        elif wanted.expected is not None:
            raise ConflictError(f"expected a model that is {wanted.expected}, got one that is {row.state}")
    return await _result(row, session=session)


async def choose(wanted: ChoiceRequest, *, session: AsyncSession) -> DecisionResult:
    """Store that a person chose a model as the champion; a repeated call changes nothing.

    It is not necessary that the gate of this installation has judged the model.

    Raises:
        NotFoundError: there is no such person.
        ForbiddenError: the person is not an administrator.
        ConflictError: the model is retired.
    """
    who = await model_decisions.decider(wanted.tg_id, wanted.operator, session=session)
    row = await _served(wanted.model, session=session)
    is_made = await model_decisions.is_made(wanted.key, session=session)
    if not is_made and not await _is_chosen(row, wanted.former, session=session):
        _refuse_retired(row)
        await _note_former(wanted.former, wanted.model, session=session)
        why = model_decisions.Ground(reason=wanted.reason, key=wanted.key)
        await model_decisions.write(row, ModelState.CHAMPION, who, why, session=session)
    return await _result(row, session=session)


async def find(model_id: int, *, session: AsyncSession) -> ModelRecord:
    """Return the record of a model.

    Raises:
        NotFoundError: the model has no record.
    """
    found = [one for one in await all_models(session=session) if one.id == model_id]
    if not found:
        raise _unknown()
    return found[0]


async def all_models(
    *, state: ModelState | None = None, name: str | None = None, version: str | None = None, session: AsyncSession
) -> tuple[ModelRecord, ...]:
    """Return the records of models with this state, name and version, the newest first; None permits any value."""
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
    """Return the row of a model, and whether this call made the row."""
    values = entry.model_dump(mode="json", include={"name", "version", "base", "dataset_version", "lineage"})
    values |= {"n_people": entry.n_people, "creation_datetime": people.now()}
    new = insert(session, ModelRow).values(**values, state=ModelState.CANDIDATE.value)
    made = await session.execute(new.on_conflict_do_nothing(index_elements=["name", "version"]).returning(ModelRow.id))
    is_new = made.scalar_one_or_none() is not None
    known = select(ModelRow).where(ModelRow.name == entry.name, ModelRow.version == entry.version)
    return (await session.scalars(known.with_for_update())).one(), is_new


async def _served(ref: ModelRef, *, session: AsyncSession) -> ModelRow:
    """Return the row of a model that becomes the champion or was the champion; make the row if there is none."""
    entry = ModelEntry(name=ref.name, version=ref.version, state=ModelState.CHAMPION, operator="-")
    row, _ = await _row_of(entry, session=session)
    return row


async def _note_former(former: ModelRef | None, model: ModelRef, *, session: AsyncSession) -> None:
    """Store that `former`, which was the default model before `model`, is the champion.

    This is necessary if the decision that made `former` the champion was not recorded.
    """
    if former is not None and former != model:
        await model_decisions.become(await _served(former, session=session), ModelState.CHAMPION, session=session)


async def _is_chosen(row: ModelRow, former: ModelRef | None, *, session: AsyncSession) -> bool:
    """Return whether a model is the champion already and, if `former` is given, replaced `former`."""
    if row.state != ModelState.CHAMPION or former is None:
        return row.state == ModelState.CHAMPION
    query = select(ModelDecisionRow.champion_before).where(ModelDecisionRow.model_id == row.id)
    return await session.scalar(query.order_by(ModelDecisionRow.id.desc()).limit(1)) == str(former)


async def _result(row: ModelRow, *, session: AsyncSession) -> DecisionResult:
    champion = await model_decisions.champion(session=session)
    return DecisionResult(
        model=await find(row.id, session=session),
        champion=None if champion is None else ModelRef(name=champion.name, version=champion.version),
    )


async def _check(row: ModelRow, wanted: DecisionRequest, *, session: AsyncSession) -> None:
    if wanted.expected is not None and row.state != wanted.expected:
        raise ConflictError(f"expected a model that is {wanted.expected}, got one that is {row.state}")
    _refuse_retired(row)
    if wanted.state is ModelState.REFUSED and row.state != ModelState.CANDIDATE:
        raise ConflictError(f"expected a candidate, got a model that is {row.state}")
    if wanted.state is ModelState.ROLLED_BACK and row.state != ModelState.CHAMPION:
        raise ConflictError(f"expected the champion, got a model that is {row.state}")
    is_free = wanted.state is ModelState.CHAMPION and not wanted.is_forced
    if is_free and await model_decisions.has_failed_gate(row.id, session=session):
        raise ConflictError("expected a model that has passed the gate, or a reason to let it serve nevertheless")


def _refuse_retired(row: ModelRow) -> None:
    if row.state == ModelState.RETIRED:
        raise ConflictError("this model is retired")


async def _is_last(decision: ModelDecisionRow, *, session: AsyncSession) -> bool:
    """Return whether a decision is equal to the last stored decision about the same model."""
    mine = select(ModelDecisionRow).where(ModelDecisionRow.model_id == decision.model_id)
    last = (await session.scalars(mine.order_by(ModelDecisionRow.id.desc()).limit(1))).one_or_none()
    said = ("state", "is_forced", "operator", "reason", "verdict")
    return last is not None and all(getattr(last, one) == getattr(decision, one) for one in said)


def _unknown() -> NotFoundError:
    return NotFoundError("expected a model that was judged here")
