"""Write the card of a fine-tuned model: its training data, the curves of the loss, and error rates."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glas.recognition.lineage import Lineage
from glas.training.adapter.train import LOG
from glas.training.finetune.fit import DEV_LOG
from glas.training.finetune.recipe import FILE as RECIPE

CURVES = "curves.svg"
_WIDTH, _HEIGHT, _MARGIN = 560, 260, 48
_COLOURS = {"learnt": "#7a7a7a", "dev": "#1f6feb"}


def write_card(model: Path, lineage: Lineage, run: Path) -> None:
    """Write the card of a model (README.md), and the picture of its losses.

    Args:
        model: directory of the model.
        lineage: the base model and the training data of the model.
        run: directory with the logs of the training.
    """
    result = lineage.result
    names = list(result["before"]["kept"])
    chosen = result["chosen"]["share"]
    losses = [
        [f"{one['share']:g}{' (kept)' if one['share'] == chosen else ''}"]
        + [f"{loss:.4f}" for loss in (one["dev"], *(one["kept"][name] for name in names))]
        for one in result["losses"]
    ]
    rates = [
        [f"{one['share']:g}", *(_percent(some) for some in (one["dev"], *(one["kept"][name] for name in names)))]
        for one in (result["before"], result["chosen"])
    ]
    head = ["share of the change", "dev", *names]
    (model / "README.md").write_text(
        TEMPLATE.format(
            base=f"{lineage.base.name}, version {lineage.base.version}",
            n_learnt=result["n_learnt"],
            minutes=result["minutes_learnt"],
            n_dev=result["n_dev"],
            speakers=len(lineage.speakers) or "unknown",
            training_minutes=f"{result['training_s'] / 60:.1f}",
            memory=f"{result['peak_memory_mb'] / 1024:.1f}",
            hardware=_hardware(result, lineage.recipe["threads"]),
            recipe=RECIPE,
            curves=CURVES,
            losses=_table(head, losses),
            rates=_table(head, rates),
        ),
        encoding="utf-8",
    )
    curves = {
        "learnt": [(row["step"], row["text"]) for row in _rows(run / LOG)],
        "dev": [(row["step"], row["loss"]) for row in _rows(run / DEV_LOG)],
    }
    (model / CURVES).write_text(picture(curves), encoding="utf-8")


def picture(curves: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Return the text of an SVG file with one line for each curve of (step, loss)."""
    points = [point for curve in curves.values() for point in curve] or [(0, 0)]
    last = max(step for step, _ in points) or 1
    top = max(loss for _, loss in points) or 1

    def at(step: float, loss: float) -> str:
        x = _MARGIN + (_WIDTH - 2 * _MARGIN) * step / last
        return f"{x:.1f},{_HEIGHT - _MARGIN - (_HEIGHT - 2 * _MARGIN) * loss / top:.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<polyline points="{at(0, top)} {at(0, 0)} {at(last, 0)}" fill="none" stroke="#999"/>',
        f'<text x="{_MARGIN}" y="{_MARGIN - 12}">loss (at most {top:.2f})</text>',
        f'<text x="{_WIDTH - _MARGIN}" y="{_HEIGHT - 16}" text-anchor="end">{last:g} steps</text>',
    ]
    for place, (name, curve) in enumerate(curves.items()):
        colour = _COLOURS.get(name, "#d9730d")
        parts.append(f'<polyline points="{" ".join(at(*point) for point in curve)}" fill="none" stroke="{colour}"/>')
        parts.append(f'<text x="{_MARGIN + 90 * place}" y="{_HEIGHT - 16}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def _hardware(result: Mapping[str, Any], threads: int) -> str:
    """Return the last words of a sentence in the card; these words say on which hardware the training ran."""
    if result.get("gpu"):
        return f"on one {result['gpu']}, at most {result['peak_gpu_memory_mb'] / 1024:.1f} GiB of its memory"
    return f"with {threads} threads"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows])


def _percent(rates: Mapping[str, float]) -> str:
    return f"{100 * rates['wer']:.1f} / {100 * rates['cer']:.1f}"


TEMPLATE = """\
# A fine-tuned Whisper

Made by `glas finetune` from {base}.

It learnt from {n_learnt} corrected recordings ({minutes} minutes; speakers: {speakers}). Choices were made on {n_dev}
others (dev). `lineage.json` names all of them by hash. `{recipe}` has the settings; `glas finetune --recipe` reads it.
The training took {training_minutes} minutes {hardware}, and at most {memory} GiB of memory.

The language model (`lm.npz`), if there is one, was adapted to the corrected texts, unless the recipe has
`words_share = 0`. In a model for everybody, only words that at least two people said became likelier or were added.

![loss against steps]({curves})

Loss by the share of the learnt change that is kept: the cross-entropy of the references, in nats per token.

{losses}

Word and character error rate in percent, as served:

{rates}

Choices were made on dev and on the other sets of these tables. So these figures flatter; what counts is the test of
`glas promote`.
"""
