"""Names of languages."""

from glas.domain.people import Locale

# The most spoken ones among those that Whisper takes Russian for or that people mix with it; others have their codes.
_NAMES = {
    "ar": ("арабский", "Arabic"),
    "az": ("азербайджанский", "Azerbaijani"),
    "be": ("белорусский", "Belarusian"),
    "bg": ("болгарский", "Bulgarian"),
    "cs": ("чешский", "Czech"),
    "de": ("немецкий", "German"),
    "en": ("английский", "English"),
    "es": ("испанский", "Spanish"),
    "fr": ("французский", "French"),
    "he": ("иврит", "Hebrew"),
    "hi": ("хинди", "Hindi"),
    "hy": ("армянский", "Armenian"),
    "it": ("итальянский", "Italian"),
    "ja": ("японский", "Japanese"),
    "ka": ("грузинский", "Georgian"),
    "kk": ("казахский", "Kazakh"),
    "ko": ("корейский", "Korean"),
    "pl": ("польский", "Polish"),
    "pt": ("португальский", "Portuguese"),
    "sr": ("сербский", "Serbian"),
    "tg": ("таджикский", "Tajik"),
    "tr": ("турецкий", "Turkish"),
    "tt": ("татарский", "Tatar"),
    "uk": ("украинский", "Ukrainian"),
    "uz": ("узбекский", "Uzbek"),
    "zh": ("китайский", "Chinese"),
}


def language_name(code: str, locale: Locale) -> str:
    """Return the name of a language by its ISO 639-1 code."""
    russian, english = _NAMES.get(code, (code, code))
    return russian if locale is Locale.RU else english
