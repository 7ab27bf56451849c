"""Accept the names of models that only other companies offer, such as OpenAI's `whisper-1` (hosted models)."""

import re
from typing import Final

from glas.domain.errors import UnknownModelError
from glas.recognition import DEFAULT_NAMES, Registry

_HOSTED: Final = re.compile(
    r"gpt-[\w.-]*transcribe[\w.-]*"  # OpenAI's, dated ones too
    r"|(?:[\w.-]+/)?(?:faster-)?(?:distil-)?(?:whisper-)?(?:1|tiny|base|small|medium|large|turbo)"
    r"(?:-v[\d.]+)?(?:-turbo)?(?:[.-]en)?(?:-ct2)?",  # Whisper's sizes, as many servers write them
    re.IGNORECASE,
)


def served_name(registry: Registry, model: str) -> str:
    """Return the name of the model that will answer: the name in the request, or `auto` (the default model).

    If the caller wrote the name of a hosted model that is not served here, the default model answers, because many
    programs have such a name built in. The answer contains the name of the model that recognised the recording.

    Raises:
        UnknownModelError: the name is neither that of a served model nor that of a hosted model.
    """
    try:
        registry.find(model)
    except UnknownModelError:
        if _HOSTED.fullmatch(model.strip()):
            return DEFAULT_NAMES[0]
        raise
    return model
