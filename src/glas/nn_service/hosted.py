"""Names of models that callers have learnt from services elsewhere."""

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
    """The name under which to look for what a caller wrote: itself, or the default model's.

    A name of a hosted model that is not served here means the default model: programs have such a name built in. The
    answer tells which model wrote it.

    Raises:
        UnknownModelError: no such model is served, and it is no hosted one.
    """
    try:
        registry.find(model)
    except UnknownModelError:
        if _HOSTED.fullmatch(model.strip()):
            return DEFAULT_NAMES[0]
        raise
    return model
