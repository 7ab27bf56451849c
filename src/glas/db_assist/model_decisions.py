"""Store decisions about models; only this module changes the state of a model.

Decisions from the command line, from the bot and from the web pages are stored by this module, so all of them are
recorded in the same way. The record contains the person, the time, the reason, and the champions before and after the
decision. Decisions of administrators are also written into the audit.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from glas.db.model_tables import ModelDecisionRow, ModelRow
from glas.db.tables import UserRow
from glas.db_assist import announcements, audit, people
from glas.domain.audit import Action
from glas.domain.errors import ForbiddenError
from glas.domain.model_records import ModelState
from glas.domain.model_ref import ModelRef
from glas.domain.people import Role


@dataclass(frozen=True)
class Decider:
    """Who makes a decision: an administrator, a person who runs a command of Glas, or a part of Glas.

    Attributes:
        person: the administrator; None if no administrator decides.
        operator: the name of the part of Glas, or the name of the person in the operating system; None if an
            administrator decides.
    """

    person: UserRow | None = None
    operator: str | None = None


@dataclass(frozen=True)
class Ground:
    """The reason for a decision, and the verdict of the gate.

    Attributes:
        reason: the reason as the deciding person wrote it; None if no reason was given.
        is_forced: whether the decision was made although the gate had refused the model.
        verdict: the verdict of the gate, as JSON.
        key: a text that identifies the decision, so that a repeated call does not record it twice.
    """

    reason: str | None = None
    is_forced: bool = False
    verdict: dict[str, Any] | None = None
    key: str | None = None


async def decider(tg_id: int | None, operator: str | None, *, session: AsyncSession) -> Decider:
    """Return who decides: the administrator with the id `tg_id`, or the operator if `tg_id` is None.

    Raises:
        NotFoundError: no person with this Telegram id is registered.
        ForbiddenError: this person is not an administrator, or is banned.
    """
    if tg_id is None:
        return Decider(operator=operator)
    row = await people.load(tg_id, session=session)
    if row.role != Role.ADMIN or row.is_banned:
        raise ForbiddenError("only an administrator may decide about models")
    return Decider(person=row)


def drafted(row: ModelRow, state: ModelState, who: Decider, why: Ground) -> ModelDecisionRow:
    """Make the row of a decision; this function does not store the row."""
    return ModelDecisionRow(
        model_id=row.id,
        state=state.value,
        is_forced=why.is_forced,
        user_id=None if who.person is None else who.person.id,
        operator=who.operator,
        reason=why.reason,
        verdict=why.verdict,
        key=why.key,
        creation_datetime=people.now(),
    )


async def write(row: ModelRow, state: ModelState, who: Decider, why: Ground, *, session: AsyncSession) -> None:
    """Store a decision, set the state of the model, and change the states of other models if necessary.

    If the model is or was the champion, or is retired, a later verdict of the gate is stored, but does not change the
    state.
    """
    decision = drafted(row, state, who, why)
    former = row.state
    before = await champion(session=session)
    decision.champion_before = _named(before)
    if state not in (ModelState.CANDIDATE, ModelState.REFUSED) or former in (ModelState.CANDIDATE, ModelState.REFUSED):
        await become(row, state, session=session)
    decision.champion_after = _named(await champion(session=session))
    session.add(decision)
    await session.flush()
    if who.person is not None and who.person.tg_id is not None:
        await audit.write(
            who.person.tg_id,
            Action.MODEL,
            subject=None,
            before={"state": former, "serves": _short(decision.champion_before)},
            after={
                "model": _short(_named(row)),
                "state": row.state,
                "serves": _short(decision.champion_after),
                **({"is_forced": True} if why.is_forced else {}),
            },
            session=session,
        )


async def become(row: ModelRow, state: ModelState, *, session: AsyncSession) -> None:
    """Set the state of a model; if the model stops being the champion, the previous champion replaces it."""
    if row.state == state:
        return
    was_champion = row.state == ModelState.CHAMPION
    if state is ModelState.CHAMPION:
        present = await champion(session=session)
        if present is not None:
            await _leave(present, ModelState.REPLACED, session=session)
        row.champion_datetime = people.now()
        row.state = state.value
    else:
        await _leave(row, state, session=session)
    if was_champion and (before := await _before(row.champion_datetime, session=session)) is not None:
        before.state = ModelState.CHAMPION.value
    await session.flush()


async def champion(*, session: AsyncSession) -> ModelRow | None:
    """Return the row of the champion, according to the decisions; None if there is none."""
    query = select(ModelRow).where(ModelRow.state == ModelState.CHAMPION.value)
    return (await session.scalars(query.with_for_update())).one_or_none()


async def is_made(key: str | None, *, session: AsyncSession) -> bool:
    """Return whether a decision with this key was recorded."""
    made = select(ModelDecisionRow.id).where(ModelDecisionRow.key == key)
    return key is not None and await session.scalar(made) is not None


async def has_failed_gate(model_id: int, *, session: AsyncSession) -> bool:
    """Return whether the last verdict of the gate about a model was a refusal."""
    judged = select(ModelDecisionRow.verdict).where(
        ModelDecisionRow.model_id == model_id, ModelDecisionRow.verdict.is_not(None)
    )
    verdict = await session.scalar(judged.order_by(ModelDecisionRow.id.desc()).limit(1))
    return verdict is not None and not verdict["passed"]


async def _leave(row: ModelRow, state: ModelState, *, session: AsyncSession) -> None:
    """Give a model another state than `champion`.

    The state is written to the database immediately, before the state of another model changes, because the database
    permits only one champion at a time.
    """
    row.state = state.value
    if state is not ModelState.CANDIDATE:
        await announcements.drop_unsent_news(row.id, session=session)
    await session.flush()


async def _before(moment: datetime | None, *, session: AsyncSession) -> ModelRow | None:
    """Return the model in the state `replaced` that became champion most recently; None if there is none.

    If `moment` is given, models that became champion after this time are ignored.
    """
    query = select(ModelRow).where(ModelRow.state == ModelState.REPLACED.value)
    if moment is not None:
        query = query.where(ModelRow.champion_datetime <= moment)
    return (await session.scalars(query.order_by(ModelRow.champion_datetime.desc()).limit(1))).one_or_none()


def _named(row: ModelRow | None) -> str | None:
    return None if row is None else str(ModelRef(name=row.name, version=row.version))


def _short(name: str | None) -> str | None:
    """Return the name of a model without its directory."""
    return None if name is None else name.rpartition("/")[2]
