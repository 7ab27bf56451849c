"""Make a model the own model of a person or a group; `glas models own`: list own models, and retire them."""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from glas.cli.db_assist import ask_db_assist
from glas.cli.language import say
from glas.cli.session import open_settings, out, told, written
from glas.domain.errors import ModelError
from glas.engines.catalogue import AUTO
from glas.localisation import rounded

if TYPE_CHECKING:
    from glas.clients.model_record_bodies import NewsItem
    from glas.domain.model_ref import ModelRef
    from glas.recognition.gate import Verdict
    from glas.settings import Settings


def own(
    *, retire: Annotated[int | None, typer.Option("--retire", help=say("models-own-retire"), show_default=False)] = None
) -> None:
    """List the own models, or retire one of them."""
    settings = open_settings(quiet=True)
    with told():
        if retire is not None:
            ask_db_assist(settings, lambda db_assist: db_assist.retire_own_model(retire))
            out.print(say("own-retired", number=retire), markup=False)
            return
        records = ask_db_assist(settings, lambda db_assist: db_assist.own_models())
        if not records:
            out.print(say("own-none"), markup=False)
        for one in records:
            whose = say("own-of-chat" if one.is_of_chat else "own-of-person")
            rates = " → ".join(written(rounded(100 * rate)) for rate in (one.wer_before, one.wer_after))
            facts = [f"{one.creation_datetime.astimezone():%Y-%m-%d}", whose, say("records-rates", rates=rates)]
            if not one.is_used:
                facts.append(say("own-unused"))
            out.print(f"{one.id:>3}  {one.own.model}", style="bold", markup=False)
            out.print(f"     {', '.join(facts)}", markup=False)


def require_ready(settings: "Settings", candidate: str, tg_id: int | None) -> None:
    """Check that a model can become an own model. Call this before the model is measured: a measurement takes long.

    Args:
        settings: the whole configuration.
        candidate: name or path of the model.
        tg_id: Telegram id of the person who will get the model; None if a group will get it.

    Raises:
        ModelError: the model was not fine-tuned in this installation, or it is not in the directory of models, where
            the server looks for models.
        UnknownModelError: there is no such model.
        NotFoundError: nobody registered under `tg_id`.
    """
    from pathlib import Path

    from glas.engines.catalogue import made_here, resolve
    from glas.recognition.lineage import read_lineage

    name = resolve(candidate, settings.models_dir)
    directory = Path(name.partition(":")[2])
    if made_here(name, settings.models_dir) != name or read_lineage(directory) is None:
        raise ModelError(f"expected a model that `glas finetune` made in {settings.models_dir}, got {name}")
    if tg_id is not None:
        ask_db_assist(settings, lambda db_assist: db_assist.user(tg_id))


def give(
    settings: "Settings",
    verdict: "Verdict",
    *,
    tg_id: int | None = None,
    chat_id: int | None = None,
    transcription_id: int | None = None,
    news: "NewsItem | None" = None,
) -> None:
    """Make a model that the gate has judged the own model of a person or a group.

    Args:
        settings: the whole configuration.
        verdict: the verdict of the gate about the model.
        tg_id: Telegram id of the person who gets the model.
        chat_id: Telegram id of the group that gets the model.
        transcription_id: id of a message; its sender gets the model.
        news: a message of the person who gets the model, recognised by the champion and by the model; None if there is
            no such news.

    Raises:
        GlasError: db_assist does not answer, or there is no such person or message.
    """
    from glas.clients.own_models import OwnModelEntry

    entry = OwnModelEntry(
        tg_id=tg_id,
        chat_id=chat_id,
        transcription_id=transcription_id,
        name=verdict.candidate.name,
        version=verdict.candidate.version,
        instead_of=verdict.champion.version,
        wer_before=verdict.wer_before,
        wer_after=verdict.wer_after,
        operator=getpass.getuser(),
        news=news,
    )
    ask_db_assist(settings, lambda db_assist: db_assist.record_own_model(entry))
    out.print(say("own-serves", model=str(verdict.candidate)), markup=False)
    if settings.model != AUTO:
        out.print(f"  {say('models-setting-wins', model=settings.model)}", markup=False)


def is_given(settings: "Settings", model: "ModelRef") -> bool:
    """Return whether a model is the own model of a person or a group.

    Raises:
        GlasError: db_assist does not answer.
    """
    given = ask_db_assist(settings, lambda db_assist: db_assist.own_models())
    return any(one.own.model == model for one in given)


def is_retired(settings: "Settings", model: "ModelRef") -> bool:
    """Return whether a model was an own model and is assigned to nobody now.

    The files of such a model will be deleted soon.

    Raises:
        GlasError: db_assist does not answer.
    """
    leaving = ask_db_assist(settings, lambda db_assist: db_assist.own_models_to_delete())
    return any(one.own.model == model for one in leaving)
