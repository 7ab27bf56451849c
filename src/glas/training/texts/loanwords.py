"""Make Russian sentences that contain a name in Latin letters; give the spelling and the pronunciation of each.

The spellings are those that are usual in Russian messages. A synthetic voice speaks the pronunciation, and the model
learns the spelling.
"""

import random

NAMES = {
    "WhatsApp": "вотсап",
    "Telegram": "телеграм",
    "YouTube": "ютуб",
    "Zoom": "зум",
    "iPhone": "айфон",
    "iPad": "айпад",
    "Apple": "эпл",
    "Google": "гугл",
    "Gmail": "джимейл",
    "Wi-Fi": "вайфай",
    "Bluetooth": "блютус",
    "e-mail": "имейл",
    "Skype": "скайп",
    "Viber": "вайбер",
    "Instagram": "инстаграм",
    "Facebook": "фейсбук",
    "TikTok": "тикток",
    "Netflix": "нетфликс",
    "Windows": "виндовс",
    "Excel": "эксель",
    "Word": "ворд",
    "Photoshop": "фотошоп",
    "PowerPoint": "пауэр пойнт",
    "PDF": "пэдэф",
    "USB": "юэсби",
    "SMS": "эсэмэс",
    "GPS": "джипиэс",
    "VPN": "випиэн",
    "Android": "андроид",
    "Samsung": "самсунг",
    "Sony": "сони",
    "Xiaomi": "сяоми",
    "Huawei": "хуавей",
    "Toyota": "тойота",
    "BMW": "бээмвэ",
    "Mercedes": "мерседес",
    "Microsoft": "майкрософт",
    "Amazon": "амазон",
    "Steam": "стим",
    "PlayStation": "плейстейшн",
    "Discord": "дискорд",
    "Twitter": "твиттер",
    "Spotify": "спотифай",
    "Booking": "букинг",
    "Airbnb": "эйрбиэнби",
    "Uber": "убер",
    "Ozon": "озон",
    "Wildberries": "вайлдберриз",
    "Python": "пайтон",
    "Linux": "линукс",
    "GitHub": "гитхаб",
    "Docker": "докер",
    "Nike": "найк",
    "Adidas": "адидас",
    "IKEA": "икеа",
}

_SENTENCES = (
    "Скинь мне это в {}.",
    "Я написал тебе в {}, посмотри.",
    "У меня не работает {}.",
    "Ты видел новый {}?",
    "Мы вчера купили {} и очень довольны.",
    "Позвони мне через {}, пожалуйста.",
    "Надо обновить {} и попробовать еще раз.",
    "Он весь день сидит в {}.",
    "Где у тебя тут {}?",
    "{} опять завис, не могу зайти.",
    "Открой {} и найди там мой файл.",
    "Давай созвонимся, только не через {}.",
    "Сколько сейчас стоит {}?",
    "Я нашла это в {} и сразу заказала.",
)


def sentence_with_name(dice: random.Random) -> tuple[str, str]:
    """Draw a random sentence that contains a name; return the spelling and the pronunciation of the sentence."""
    written = dice.choice(sorted(NAMES))
    frame = dice.choice(_SENTENCES)
    said = NAMES[written]
    spoken = frame.format(said)
    return frame.format(written), spoken[0].upper() + spoken[1:]
