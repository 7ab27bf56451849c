"""Recognition of recordings, from the bytes of a file to the text of the recording.

    with open_recogniser(settings) as recogniser:
        recognition = recogniser.transcribe(data)

`Recogniser.transcribe` decodes the file, finds the speech, recognises it piece by piece, removes text that nobody said,
and writes capitals and digits. The server, the command line, the benchmarks and the evaluation after training call this
method. So error rates are measured with the same text that users get.
"""

from glas.recognition.job import AbandonedError, Job
from glas.recognition.loaded import LoadedModel, resident_bytes
from glas.recognition.loading import LoadEngine
from glas.recognition.names import DEFAULT_NAMES, ModelNames
from glas.recognition.recogniser import Recogniser, open_recogniser, require_able
from glas.recognition.registry import Registry
from glas.recognition.transcriber import Progress

__all__ = [
    "DEFAULT_NAMES",
    "AbandonedError",
    "Job",
    "LoadEngine",
    "LoadedModel",
    "ModelNames",
    "Progress",
    "Recogniser",
    "Registry",
    "open_recogniser",
    "require_able",
    "resident_bytes",
]
