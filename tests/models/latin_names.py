"""Messages with names that Russian texts write in Latin letters, spelt as they are pronounced, and their recording.

In `latin_names.ogg` each begins at a multiple of `SLOT_SAMPLES`. They are spoken by RHVoice's free voices (see
`glas.training.voices.rhvoice`), for espeak-ng's Russian is too unclear for a Whisper. To record them anew:
`python -m tests.models.latin_names FOLDER`, where FOLDER has the unpacked packages of RHVoice.
"""

import sys
from pathlib import Path

import numpy as np

from glas.training.sound.channel import encode_opus
from glas.training.voices.rhvoice import RHVoice
from glas.training.voices.speaking_style import SpeakingStyle
from tests.speech import speak

RECORDING = Path(__file__).with_suffix(".ogg")
SLOT_SAMPLES = 4 * 16_000
BIT_RATE_BPS = 16_000

# Each with its voice.
SPOKEN = (
    ("elena", "Напиши мне в вотс апп, когда приедешь."),
    ("anna", "Созвонимся завтра в зуме, я пришлю ссылку."),
    ("elena", "Я купил новый айфон пятнадцать про."),
    ("irina", "Какой тут пароль от вай фай?"),
    ("irina", "Отправь договор на мой и-мейл до вечера."),
    ("irina", "Я видела это видео на ютубе."),
    ("irina", "Подпишись на мой канал в телеграм."),
    ("irina", "Найди это слово в гугл."),
    ("anna", "Пришли мне таблицу в формате эксель."),
    ("elena", "Я учу язык программирования пайтон."),
    ("irina", "Отправь документ в пэ дэ эф."),
    ("elena", "Она выложила фото в инстаграм."),
    ("irina", "Дети целый день смотрят тик ток."),
    ("elena", "Вечером посмотрим сериал на нетфликс."),
    ("irina", "У него телефон самсунг галакси."),
    ("irina", "Наушники не подключаются по блютуз."),
    ("elena", "Он работает в компании майкрософт."),
    ("elena", "Напиши мне в фейсбук."),
    ("irina", "Позвони мне вечером по скайп."),
    ("irina", "У соседа новый бэ эм вэ икс пять."),
    ("elena", "Обнови браузер гугл хром."),
    ("elena", "На работе мы используем линукс."),
    ("irina", "Сайт написан на джава скрипт."),
    ("elena", "Вставь флешку в порт ю эс би."),
    ("irina", "Навигатор потерял сигнал джи пи эс."),
    ("irina", "Сын играет в плейстейшен пять."),
    ("anna", "Мы обсудим это в дискорд."),
    ("elena", "Поставь приложение из гугл плей."),
    ("irina", "Зайди на сайт яндекс точка ру."),
    ("irina", "Наш офис закупил мониторы эл джи."),
    ("irina", "Она купила айпад для учёбы."),
    ("irina", "У нас в офисе принтер эйч пи."),
    ("irina", "Покажи этот фильм на ди ви ди."),
    ("irina", "Брат играет в майнкрафт."),
    ("irina", "Мы летели на боинг семьсот тридцать семь."),
    ("irina", "Скачай игру в стим."),
    ("irina", "Купи билет на концерт группы металлика."),
    ("elena", "Видео снято на камеру гоу про."),
    ("irina", "Смотри прямой эфир на твич."),
    ("irina", "Он подписан на илона маска в твиттер."),
    ("elena", "Наш сервер работает на убунту."),
    ("elena", "Я слушаю подкасты на эппл мьюзик."),
    ("anna", "Мы обедали в макдоналдс, а потом в кей эф си."),
    ("elena", "Диктор канала би би си рассказал о погоде."),
    ("irina", "Открытие нового магазина икея перенесли."),
    ("irina", "Найди инструкцию на сайте википедия."),
    ("irina", "Добавь меня в группу вайбер."),
    ("irina", "Пожалуйста, подключи ви пи эн."),
    ("irina", "Продам айфон тринадцать мини и эйрподс."),
    ("irina", "Компания гугл купила ютуб."),
)


def record(root: Path) -> None:
    """Speak all of them into the recording.

    Args:
        root: where the packages of RHVoice are unpacked.
    """
    voice, slots = RHVoice(root), []
    for name, text in SPOKEN:
        spoken = speak(voice, text, SpeakingStyle(name))
        slots.append(np.pad(spoken, (0, SLOT_SAMPLES - len(spoken))))
    RECORDING.write_bytes(encode_opus(np.concatenate(slots), BIT_RATE_BPS))


if __name__ == "__main__":
    record(Path(sys.argv[1]))
