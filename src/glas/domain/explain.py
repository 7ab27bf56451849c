"""Errors in the words of people: what happened and what to do. The errors themselves speak English, to engineers."""

from glas.domain.errors import GlasError

_RUSSIAN = {
    "upload_too_large": "Файл слишком большой. Сожмите запись (например, в Ogg/Opus) или разделите её на части.",
    "audio_empty": "В файле нет звука.",
    "audio_no_sound_track": "В этом видео нет звука, распознавать нечего.",
    "audio_format_unsupported": "Это не похоже на запись. Подойдёт почти любой звук или видео: Ogg/Opus, MP3, M4A, "
    "AAC, WAV, FLAC, WMA, MP4, MOV, WebM, AVI.",
    "audio_corrupt": "Файл повреждён: разобрать звук не удалось. Пришлите его ещё раз.",
    "audio_too_long": "Запись слишком длинная. Разделите её на части.",
    "audio_decode_limit": "Файл потребовал слишком много памяти или времени и был отклонён.",
    "audio_invalid": "Прочитать звук не удалось.",
    "model_unknown": "Такой модели нет. Список: glas models.",
    "model_file_missing": "В каталоге модели не хватает файла.",
    "model_load_failed": "Загрузить модель не удалось: её файлы повреждены или не подходят.",
    "hub_unreachable": "Хранилище моделей недоступно.",
    "invalid_api_key": "Нужен ключ доступа, или он неверный.",
    "overloaded": "Сейчас слишком много записей в очереди. Попробуйте чуть позже.",
    "service_unreachable": "Служба распознавания не отвечает.",
    "service_timeout": "Служба распознавания не успела ответить.",
    "service_fault": "Служба распознавания ошиблась. Подробности в её журнале.",
    "configuration": "Неверная настройка.",
    "data_dir_in_use": "Каталог данных занят: в нём уже работает Глас. Остановите его или назовите другой каталог.",
    "data_set_invalid": "Эти записи с текстами прочитать не удалось.",
    "backup_invalid": "Эта резервная копия повреждена или сделана не Гласом. Ничего не изменено.",
    "invalid_parameter": "Недопустимое значение параметра.",
    "invalid_input": "Неверные входные данные.",
    "correction_implausible": "Здесь нет слов. Пришлите верный текст.",
    "person_unknown": "Сначала нажмите /start.",
    "not_found": "Такого не нашлось: возможно, запись уже удалена.",
    "would_replace": "Здесь уже есть данные. Заменить их: --force.",
    "telegram_answer_unreadable": "Telegram ответил непонятно.",
    "conflict": "Это уже сделано, но иначе, или сейчас невозможно.",
    "forbidden": "Это вам не разрешено.",
}


def explain(error: GlasError) -> str:
    """A sentence in Russian for an error; an unknown code gives a general one."""
    return _RUSSIAN.get(error.code, "Что-то пошло не так.")
