"""`glas transcribe`: recognise recordings in files, and print or write the recognised texts."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from glas.launch.transcription import Transcribe
    from glas.recognition import Progress as RecognitionProgress

from glas.cli.language import say
from glas.cli.session import EXIT_FAILED, EXIT_USAGE, err, open_settings, tell, told
from glas.cli.sources import Source, file_names
from glas.domain.errors import AudioTooLongError, GlasError, UploadTooLargeError
from glas.domain.subtitles import to_srt, to_vtt
from glas.domain.transcription import Recognition
from glas.settings import AudioSettings, Settings
from glas.system.files import replace_text


class Heard(NamedTuple):
    """The recognition of one recording, and the number of seconds that recognising it took."""

    recognition: Recognition
    elapsed_s: float


class Format(StrEnum):
    """The formats in which recognised texts are printed or written."""

    TEXT = "text"
    JSON = "json"
    SRT = "srt"
    VTT = "vtt"


_EXTENSIONS = {Format.TEXT: ".txt", Format.JSON: ".json", Format.SRT: ".srt", Format.VTT: ".vtt"}


def transcribe(
    files: Annotated[
        list[str],
        typer.Argument(metavar=say("metavar-file"), help=say("transcribe-files"), show_default=False),
    ],
    model: Annotated[
        str | None,
        typer.Option(help=say("transcribe-model"), metavar=say("metavar-name"), show_default="GLAS_MODEL"),
    ] = None,
    fmt: Annotated[Format, typer.Option("--format", "-f", help=say("transcribe-format"))] = Format.TEXT,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=say("transcribe-output"), metavar=say("metavar-directory")),
    ] = None,
) -> None:
    """Recognise files, several at the same time; print the texts in the order of the files, or write them as files."""
    settings = open_settings(quiet=True)
    if model is not None:
        settings = settings.model_copy(update={"model": model})
    sources = [Source(name, limit_mb=settings.audio.max_upload_mb) for name in files]
    _check_usage(sources, fmt, output)
    from glas.launch.transcription import open_transcription

    with told(), open_transcription(settings) as recognise, _progress() as progress:
        failed = _recognise_all(sources, recognise, progress, settings, _writer(sources, fmt, output))
    raise typer.Exit(EXIT_FAILED if failed else 0)


def _check_usage(sources: list[Source], fmt: Format, output: Path | None) -> None:
    if len(sources) > 1 and fmt in {Format.SRT, Format.VTT} and output is None:
        err.print(say("transcribe-needs-output"), style="red")
        raise typer.Exit(EXIT_USAGE)
    if sum(source.is_stdin for source in sources) > 1:
        err.print(say("transcribe-one-stdin"), style="red")
        raise typer.Exit(EXIT_USAGE)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)


def _progress() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def _recognise_all(
    sources: list[Source],
    recognise: "Transcribe",
    progress: Progress,
    settings: Settings,
    write: Callable[[Source, Heard], None],
) -> int:
    """Recognise several sources at the same time, and write the texts in the order of the sources.

    Return the number of sources that could not be recognised.
    """
    failed = 0
    with ThreadPoolExecutor(settings.nn_service.worker_count) as pool:
        jobs = [pool.submit(_recognise, source, recognise, progress) for source in sources]
        try:
            for source, job in zip(sources, jobs, strict=True):
                try:
                    write(source, job.result())
                except BrokenPipeError:
                    raise  # the reader of our output has ended, which is not an error of the recording
                except (GlasError, OSError) as error:
                    failed += 1
                    _tell_failure(source, error, settings.audio)
        except (KeyboardInterrupt, BrokenPipeError):
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return failed


def _recognise(source: Source, recognise: "Transcribe", progress: Progress) -> Heard:
    task = progress.add_task(source.name)

    def on_progress(done: "RecognitionProgress") -> None:
        minutes, seconds = divmod(int(done.done_s), 60)
        progress.update(task, description=f"{source.name}  {minutes}:{seconds:02}")

    began_s = time.monotonic()
    try:
        recognition = recognise(source.read(), on_progress=on_progress)
        return Heard(recognition, time.monotonic() - began_s)
    finally:
        progress.remove_task(task)


def _tell_failure(source: Source, error: GlasError | OSError, limits: AudioSettings) -> None:
    match error:
        case UploadTooLargeError():
            tell(error, source.name, limit=limits.max_upload_mb)
        case AudioTooLongError():
            tell(error, source.name, limit=int(limits.max_duration_s // 60))
        case GlasError():
            tell(error, source.name)
        case _:
            reason = say("failed-file", file=source.name, reason=error.strerror or str(error))
            err.print(reason, style="red", markup=False)


def _writer(sources: list[Source], fmt: Format, output: Path | None) -> Callable[[Source, Heard], None]:
    """Return a function that writes a text into a file in `output`, or prints the text if `output` is None."""
    if output is not None:
        names = dict(zip(map(id, sources), file_names(sources), strict=True))

        def to_directory(source: Source, heard: Heard) -> None:
            replace_text(output / (names[id(source)] + _EXTENSIONS[fmt]), _rendered(source, heard, fmt))

        return to_directory

    several = len(sources) > 1

    def to_terminal(source: Source, heard: Heard) -> None:
        text = _rendered(source, heard, fmt)
        typer.echo(f"{source.name}: {text}" if several and fmt is Format.TEXT else text, nl=False)

    return to_terminal


def _rendered(source: Source, heard: Heard, fmt: Format) -> str:
    match fmt:
        case Format.TEXT:
            return heard.recognition.hypothesis.text + "\n"
        case Format.SRT:
            return to_srt(heard.recognition.hypothesis)
        case Format.VTT:
            return to_vtt(heard.recognition.hypothesis)
        case Format.JSON:
            from glas.nn_service.formats import Granularity, render_verbose

            body = render_verbose(heard.recognition, set(Granularity), elapsed_s=heard.elapsed_s).written()
            return json.dumps({"file": source.name} | body, ensure_ascii=False) + "\n"
