"""`glas models canary`: let a candidate answer a part of all people."""

from typing import Annotated

import typer

from glas.cli.language import say, title
from glas.cli.session import EXIT_USAGE, err, open_settings, out, told
from glas.engines.candidate import CandidateChoice, choose_candidate, chosen_candidate, end_candidate
from glas.engines.catalogue import AUTO, title_of

_SHARE = 0.1


def canary(
    name: Annotated[
        str | None, typer.Argument(metavar=say("metavar-name"), help=say("models-canary-name"), show_default=False)
    ] = None,
    *,
    share: Annotated[float, typer.Option(min=0, max=1, help=say("models-canary-share"))] = _SHARE,
    shadow: Annotated[float, typer.Option(min=0, max=1, help=say("models-canary-shadow"))] = 0,
    end: Annotated[bool, typer.Option("--end", help=say("models-canary-end"))] = False,
) -> None:
    """Choose a candidate, end the trial of the candidate, or show which candidate is being tried."""
    if end and name is not None:
        err.print(say("canary-either"), style="red", markup=False)
        raise typer.Exit(EXIT_USAGE)
    settings = open_settings(quiet=True)
    with told():
        if end:
            out.print(say("canary-ended" if end_candidate(settings.models_dir) else "canary-none"), markup=False)
            return
        if name is not None:
            choose_candidate(CandidateChoice(model=name, share=share, shadow_share=shadow), settings.models_dir)
        _show(chosen_candidate(settings.models_dir))
        if settings.model != AUTO:
            out.print(f"  {say('models-setting-wins', model=settings.model)}", markup=False)


def _show(choice: CandidateChoice | None) -> None:
    if choice is None:
        out.print(say("canary-none"), markup=False)
        return
    percent = round(100 * choice.share)
    told_as = say("canary-chosen", title=title(title_of(choice.model)), name=choice.model, percent=percent)
    out.print(told_as, markup=False)
    if choice.shadow_share:
        out.print(f"  {say('canary-shadow', percent=round(100 * choice.shadow_share))}", markup=False)
