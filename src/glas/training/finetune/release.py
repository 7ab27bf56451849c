"""Build the directory of a fine-tuned model: merged weights, an adapted language model, and other files of the base."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glas.domain.errors import ModelLoadError
from glas.engines.json_file import read_json
from glas.engines.language_model import FILE as LM_FILE
from glas.engines.whisper.adapter import Adapter, write_adapter
from glas.engines.whisper.backend import LANGUAGES
from glas.engines.whisper.build import build_model
from glas.engines.whisper.checkpoint import CONFIG, CONVERTED_WEIGHTS
from glas.engines.whisper.confidence import FILE as CALIBRATION
from glas.engines.whisper.context import CONTEXT_MARGIN
from glas.engines.whisper.vocabulary import load_tokenizer
from glas.system.files import sha256_of
from glas.training.adapter.factors import AdapterFactors, as_adapter, combine
from glas.training.finetune.base import Base
from glas.training.language.adaptation import CorrectedTexts, adapt
from glas.training.release import ADAPTER, write_checksums

_KEPT_SETTINGS = (CONTEXT_MARGIN, LANGUAGES)


def combined_adapter(base: Base, factors: AdapterFactors, share: float, facts: Mapping[str, Any]) -> Adapter:
    """Combine the adapter of the base model and the share `share` of the newly learnt changes into one adapter.

    Raises:
        ModelLoadError: the adapter of the base model cannot be combined, because its alpha is not equal to its rank.
    """
    changes = [(factors, share)]
    name = base.weights.name
    if (own := base.adapter()) is not None:
        if abs(own.alpha / own.rank - 1) > 1e-9:
            raise ModelLoadError(f"expected an adapter with alpha equal to its rank, got {own.alpha} and {own.rank}")
        changes.insert(0, (own.factors, 1.0))
        name = own.base
    return as_adapter(combine(changes), name, base.digest(), dict(facts))


def write_model(base: Base, adapter: Adapter, texts: CorrectedTexts, to: Path) -> None:
    """Write the directory of a fine-tuned model; if the directory already contains a model, replace that model.

    The calibration of the base model is copied, although it was fitted to the base model. This is accepted, because a
    fine-tuning changes the weights and the probabilities of most words only a little. An evaluation of the new model
    shows how well the calibration fits the new model.

    Args:
        base: the model that was fine-tuned.
        adapter: the result of `combined_adapter`.
        texts: the corrected texts to which the language model is adapted, if the base model has one.
        to: directory of the new model.
    """
    write_adapter(to / ADAPTER, adapter)
    own = read_json(base.directory / CONFIG)
    settings = {name: own[name] for name in _KEPT_SETTINGS if name in own}
    tokenizer = load_tokenizer(base.directory) if base.directory != base.weights else None
    made = to.with_name(f".{to.name}.weights")
    build_model(base.weights, made, adapter=to / ADAPTER, tokenizer=tokenizer, settings=settings)
    for path in made.iterdir():
        path.replace(to / path.name)
    made.rmdir()
    if (base.directory / LM_FILE).is_file():
        adapt(base.directory / LM_FILE, texts, to / LM_FILE)
    _inherit_calibration(base.directory, to)
    write_checksums(to)


def _inherit_calibration(base: Path, to: Path) -> None:
    if not (base / CALIBRATION).is_file():
        return
    contents = read_json(base / CALIBRATION)
    contents["sha256"] = {name: sha256_of(to / name) for name in (CONVERTED_WEIGHTS, LM_FILE) if (to / name).is_file()}
    contents["fitted_on"] = f"the base of this model: {contents.get('fitted_on', 'unknown')}"
    contents["measured"] = {}
    (to / CALIBRATION).write_text(json.dumps(contents, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
