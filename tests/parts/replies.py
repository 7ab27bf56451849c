"""Two hundred replies of people to recognised texts: true corrections, and other texts."""

from dataclasses import dataclass
from typing import Literal

Way = Literal["text", "voice", "pencil"]
"""A reply to the bot's text, to the recording, or to the bot's request after ✏️."""


@dataclass(frozen=True)
class Reply:
    """One reply.

    Attributes:
        heard: what was recognised.
        said: what is written.
        way: to what it replies.
        is_correction: whether the words were really said.
        in_group: in a group, or in the private chat.
        by_author: the one who spoke, or somebody else.
    """

    heard: str
    said: str
    way: Way
    is_correction: bool = False
    in_group: bool = False
    by_author: bool = True


# What a recogniser makes of Russian, and what was said; some are misheard altogether.
_MISHEARD = (
    ("Встреча переносится на пятницу на пятнадцать тридцать", "Встреча переносится на пятницу, на 16:30."),
    ("мама мыла рано утром окна", "Мама мыла раму утром, а не окна."),
    ("позвони мне когда будешь на работу", "Позвони мне, когда будешь на работе."),
    ("купи молоко и хлеб и десяток яиц", "Купи молока, хлеба и десяток яиц."),
    ("я не приду сегодня заболела собака", "Я не приду сегодня: заболела собака."),
    ("Это странно, но я уж как-то привыкла в вам.", "Это странно, но я уж как-то привыкла к вам."),
    ("скинь реквизиты я переведу вечером", "Скинь реквизиты, я переведу вечером."),
    ("поезд отправляется в десять сорок с третьего пути", "Поезд отправляется в десять сорок с пятого пути."),
    ("я буду через полчаса", "Я буду через полтора часа."),
    ("да конечно приезжай", "Да, конечно, приезжайте."),
    ("он сказал что договор подпишет завтра", "Она сказала, что договор подпишут завтра."),
    ("забери посылку на почте код шесть два девять", "Забери посылку на почте, код 629."),
    ("кот зевает теперь на должности все приобретают", "Кто ж зевает теперь на должности? Все приобретают."),
    ("передай привет маме и паре", "Передай привет маме и папе."),
    ("совещание отменили потому что шеф улетел", "Совещание отменили, потому что шеф улетел в Казань."),
    ("об немеж землю ведь только её и может обнять", "Обнимешь землю — ведь только её и можешь обнять!"),
    ("нет", "Нет!"),
    ("привет как дила", "Привет, как дела?"),
    (
        "четыре сырых чёрненьких чертёнка чертели чёрными чернилами чертёж",
        "Четыре чёрненьких чумазеньких чертёнка чертили чёрными чернилами чертёж.",
    ),
    ("по мок ей при нести с улицы кипы газет", "Помог ей принести с улицы и развязать кипы газет."),
)
_FAR = ("подъезд десять ста рублей", "Поеду двести сороковым, рублей сто")

_TALK = (
    "спасибо!", "ага", "ок", "😂", "👍👍👍", "понял, принял", "согласен, давайте в четверг", "а во сколько?",
    "да, буду",
    "не поняла", "это точно он сказал?", "классный бот", "ну ты даёшь", "перезвони мне", "кто это?", "уже еду",
    "привет всем", "а можно ещё раз?", "так и передам", "супер, жду", "нет, не смогу", "хорошо, договорились",
    "я тоже так думаю", "скинь адрес", "сколько с меня?", "завтра обсудим", "не пиши сюда", "красиво сказано",
    "это было вчера", "что за ерунда",
)  # fmt: skip
_QUOTES = (
    ("Встреча переносится на пятницу.", "Встреча переносится на пятницу?"),
    ("Поезд в десять сорок.", "Поезд в десять сорок? А не раньше?"),
    ("Купи молока и хлеба.", "Купи молока и хлеба — смешно, я уже купил всё это вчера вечером"),
    ("Я приеду завтра утром.", "«Я приеду завтра» — ну-ну, сколько раз мы это слышали"),
    ("Позвони, когда освободишься.", "Позвони? Когда освободишься, сама позвони мне"),
    ("Скинь мне адрес, пожалуйста.", "Адрес? Какой адрес, пожалуйста?"),
    ("Мы выиграли со счётом три один.", "Мы выиграли? Со счётом три один?"),
    ("Не забудь взять зонт.", "Не забудь взять мозг"),
    ("Договор подпишут в среду.", "А в среду ли договор подпишут?"),
    ("Я люблю тебя.", "Я люблю борщ, а не тебя"),
)
_JOKES = (
    "кто последний, тот моет посуду", "кошка села на клавиатуру", "абырвалг", "тут какой-то шум и больше ничего",
    "в лесу родилась ёлочка, в лесу она росла", "продам гараж", "это секрет", "бла-бла-бла-бла-бла-бла-бла",
    "сами вы не местные", "ля-ля тополя",
)  # fmt: skip
_HEARD = "Добрый день! Встреча переносится на пятницу, на пятнадцать тридцать, не опаздывайте."


def scene() -> list[Reply]:
    """All of them."""
    ways: tuple[tuple[Way, bool], ...] = (("text", False), ("voice", False), ("pencil", False), ("pencil", True))
    replies = [
        Reply(heard, said, way, is_correction=True, in_group=in_group)
        for heard, said in _MISHEARD
        for way, in_group in ways
    ]
    replies += [Reply(*_FAR, way, is_correction=True, in_group=in_group) for way, in_group in ways]
    replies += [Reply(_HEARD, said, "text") for said in _TALK]
    replies += [Reply(_HEARD, said, "voice") for said in _TALK[:6]]
    replies += [Reply(_HEARD, said, "text", in_group=True) for said in _TALK[:12]]
    replies += [Reply(_HEARD, said, "text", in_group=True, by_author=False) for said in _TALK[12:24]]
    replies += [Reply(_HEARD, said, "pencil", in_group=True, by_author=False) for said in _TALK[24:]]
    replies += [Reply(heard, said, "text") for heard, said in _QUOTES]
    replies += [Reply(heard, said, "text", in_group=True) for heard, said in _QUOTES]
    replies += [Reply(heard, said, "pencil", in_group=True, by_author=False) for heard, said in _QUOTES[:5]]
    replies += [Reply(heard, heard[:-1], "text", in_group=True, by_author=False) for heard, _ in _QUOTES[5:]]
    replies += [Reply(_HEARD, said, "pencil", in_group=bool(number % 2)) for number, said in enumerate(_JOKES)]
    replies += [Reply(_HEARD, said, "text", in_group=bool(number % 2)) for number, said in enumerate(_JOKES)]
    return replies
