"""Explain to people why there is no text."""

from glas.domain.errors import (
    AudioError,
    GlasError,
    HubUnreachableError,
    ModelLoadError,
    NoSoundTrackError,
    ServiceError,
    UnsupportedFormatError,
    UploadTooLargeError,
)
from glas.domain.explain import explain
from glas.domain.people import Locale
from glas.tg_bot.api.telegram import DownloadError, TelegramAwayError

_TELEGRAM = {Locale.RU: "Telegram сейчас не отвечает.", Locale.EN: "Telegram does not answer now."}
_DOWNLOAD = {
    Locale.RU: "Скачать запись из Telegram не удалось.",
    Locale.EN: "The recording could not be downloaded from Telegram.",
}


_ENGLISH: tuple[tuple[type[GlasError], str], ...] = (
    (UploadTooLargeError, "The file is too large."),
    (NoSoundTrackError, "There is no sound in this video."),
    (UnsupportedFormatError, "This does not look like a recording. Almost any audio or video will do."),
    (AudioError, "The sound could not be read."),
    (HubUnreachableError, "The model cannot be had from anywhere now."),
    (ModelLoadError, "The model cannot be loaded: its files are damaged or do not fit."),
    (ServiceError, "The recognition service does not answer."),
)


def reason(error: GlasError, locale: Locale) -> str:
    """Return a sentence for an error."""
    if isinstance(error, TelegramAwayError):
        return _TELEGRAM[locale]
    if isinstance(error, DownloadError):
        return _DOWNLOAD[locale]
    if locale is Locale.RU:
        return explain(error)
    return next((text for kind, text in _ENGLISH if isinstance(error, kind)), "Something went wrong.")
