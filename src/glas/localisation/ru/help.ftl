# Справка командной строки: что пишет `glas --help` и `glas КОМАНДА --help`.

usage = Использование:
usage-options = [ПАРАМЕТРЫ]
usage-command = КОМАНДА [АРГУМЕНТЫ]...
usage-help = Показать эту справку.
usage-arguments-title = Аргументы
usage-options-title = Параметры
usage-commands-title = Команды
usage-default = по умолчанию: {$value}
usage-required = обязательно
usage-see = Справка: {$command}
usage-missing-argument = Не указан аргумент {$name}
usage-missing-option = Не указан параметр {$name}
usage-missing-command = Не указана команда
usage-no-option = Параметра {$name} нет{ $similar ->
        [none] {""}
       *[other] . Похожие: {$similar}
    }
usage-no-command = Команды {$name} нет{ $similar ->
        [none] {""}
       *[other] . Похожие: {$similar}
    }
usage-extra-argument = Лишний аргумент: {$name}
usage-no-value = Параметру {$name} нужно значение
usage-needless-value = Параметру {$name} значение не нужно
usage-choice = Недопустимое значение {$value} параметра {$name}. Возможны: {$choices}
usage-wrong-value = Недопустимое значение параметра {$name}: {$why}

metavar-file = ФАЙЛ
metavar-directory = КАТАЛОГ
metavar-name = ИМЯ
metavar-model = МОДЕЛЬ
metavar-part = ЧАСТЬ

glas-help =
    **Глас** превращает русскую речь в текст: голосовые сообщения, записи, видео.

    Попробуйте сразу, без сети и настройки:

        glas transcribe samples/*.ogg        текст в терминале
        glas run                             страница и API на http://127.0.0.1:8000
        glas models                          какие модели бывают и какие есть на диске
        glas doctor                          всё ли в порядке и что исправить

    Настройки — переменные `GLAS_…` или файл `.env`; все они описаны в docs/settings.md.
glas-version = Показать версию.

transcribe-help =
    Превратить записи в текст.

    Примеры:

        glas transcribe voice.ogg                          текст в терминале
        glas transcribe *.ogg --format srt --output out    субтитры в каталог out
        cat voice.ogg | glas transcribe -                  со стандартного ввода
        glas transcribe talk.mp4 --format json             слова, времена и уверенность (как verbose_json в API)

    Формат узнаётся по содержимому, а не по имени; подойдёт почти любой звук или видео.
    Файл с ошибкой не мешает остальным; код выхода тогда 1.
transcribe-files = Записи; `-` — стандартный ввод.
transcribe-model = Модель: имя из `glas models` или `onnx:КАТАЛОГ`.
transcribe-format = Вид ответа.
transcribe-output = Каталог для ответов, по файлу на запись.

run-help =
    Запустить части системы в одном процессе (все, если не назвать ни одной; бот — если задан TELEGRAM_TOKEN).

    Части: {$parts}. Страница и API открываются на http://127.0.0.1:8000.

        glas run                                     всё сразу
        GLAS_PORT=8080 glas run                      на другом порту
        GLAS_MODEL=onnx:gigaam-v3-ctc glas run       с другой моделью
        glas run nn_service                          только распознавание, порт 8001
        GLAS_NN_SERVICE_URL=http://gpu:8001 glas run web       страница отдельно от распознавания

    Ctrl+C останавливает: начатые распознавания доводятся до конца; второе Ctrl+C останавливает сразу.

evaluate-help =
    Посчитать ошибки модели на записях, текст которых известен.

    Примеры:

        glas evaluate embedded --data test                  каталог с metadata.jsonl или manifest.jsonl
        glas evaluate auto --data manifest.jsonl --json     всё, вместе с текстом каждой записи

    Записи распознаются этой же программой и ровно так, как их распознаёт сервер: с теми же настройками, поиском речи,
    отсевом выдуманного и записью чисел. Данные: каталог в виде `audiofolder` (metadata.jsonl: file_name, text), манифест
    NeMo (audio_filepath, text) или каталог с ним, в том числе то, что пишет `glas export`.

    WER и CER считаются по нормализованному тексту (RU-NORM), по всем записям вместе. Интервал — бутстреп по записям
    (Bisani, Ney, 2004), всегда с одним и тем же начальным числом.
evaluate-model = Имя из `glas models` или `onnx:КАТАЛОГ`.
evaluate-data = Каталог записей или манифест.
evaluate-json = Напечатать всё как JSON.

models-help =
    Какие модели бывают, какие есть на диске; `glas models get ИМЯ` скачивает, `glas models use ИМЯ` выбирает.

    Распознаёт та, что указана в GLAS_MODEL; `auto` — выбранная, а если ничего не выбрано — лучшая из тех, что на диске.
    Сама по себе ни одна модель не скачивается.
models-get-help = Скачать модель в каталог данных; прерванное продолжается той же командой.
models-get-name = Имя из `glas models`, например `onnx:gigaam-v3-ctc`.
models-use-help = Выбрать, какая модель распознаёт при GLAS_MODEL=auto; `auto` отменяет выбор.
models-use-name = Имя из `glas models`, каталог или `auto`: лучшая.

keys-help =
    Ключи для тех, кто вызывает API. `glas keys new ИМЯ` делает ключ, `glas keys` показывает, чьи ключи есть.

    Сам ключ показывается один раз и нигде не хранится: в настройку GLAS_API_KEYS попадает только его хеш. Чтобы отозвать
    ключ, уберите его запись оттуда и перезапустите сервер. Имя ключа видно в журнале каждого запроса.
keys-new-help = Сделать ключ и напечатать его вместе с новой записью для GLAS_API_KEYS.
keys-new-name = Чей ключ: латинские буквы, цифры, точка, дефис.
keys-new-admin = Может загружать, выгружать и менять модели.

doctor-help =
    Проверить установку: модель, каталог данных, базу, хранилище, службы, Telegram — и сказать, что исправить.

    Ничего не меняет. Код выхода 1, если работать так нельзя.

export-help =
    Выгрузить сообщения для обучения: только тех, кто согласился, и никогда пересланные.

    Примеры:

        glas export           то, что изменилось с прошлого раза
        glas export --full    сверить всё, включая файлы на диске

    Каталог downloads: папки по оценкам, manifest.jsonl (худшие первыми) и dataset для `datasets`. Подробно: docs/export.md.
    Прерванная выгрузка ничего не портит: следующая закончит её. Работающий `glas run` выгружает сам, каждые 3 часа
    (GLAS_DATA_LOADER__EXPORT_HOURS); эта команда просит его выгрузить сейчас.
export-full = Сверить всё, а не только изменения.

migrate-help =
    Обновить таблицы базы данных до версии программы. Повторный запуск ничего не меняет.

    Например:

        GLAS_DATABASE_URL=postgresql://имя:пароль@сервер/база glas migrate

    Встроенная база (файл SQLite) обновляется сама, когда запускается db_assist; остальные — только этой командой.
    Останавливать систему не нужно: пока идёт обновление, запросы ждут.
ledger-help = Проверить, что баланс каждого равен сумме его операций. Код выхода 1, если нет.

backup-help =
    Сохранить всё, что помнит Глас, в один файл. Сервер при этом может работать.

    Например:

        glas backup glas-2026-11-22.tar
        glas backup glas.tar --force      заменить прежнюю копию

    Внутри: базы данных, записи и тексты, контрольные суммы. Модели и каталог downloads не входят: модели скачиваются,
    выгрузку повторит `glas export --full`. В файле голоса и слова людей: храните его так же, как саму систему.
    Только для встроенного режима; PostgreSQL и S3 сохраняют своими средствами (docs/operations.md).
restore-help =
    Вернуть данные из файла, который сделал `glas backup`. Сервер должен быть остановлен.

    Примеры:

        glas restore glas-2026-11-22.tar
        glas restore glas-2026-11-22.tar --force      заменить то, что уже есть

    Сначала всё распаковывается рядом и сверяется с контрольными суммами; повреждённый файл не меняет ничего.
backup-file = Резервная копия, tar.
backup-force = Заменить то, что уже есть.

train-help =
    Обучить модель; нужны пакеты обучения (`make train-setup`) и исходные веса (`glas models get whisper-base`).

    Например:

        glas train whisper-base       встроенная модель, весь путь: тексты, речь, обучение, веса, карточка
train-base-help =
    Сделать встроенную модель из whisper-base: тексты → речь → цели учителя → адаптер → веса → карточка.

    Примеры:

        glas train whisper-base --smoke --to /tmp/model     весь путь в малом, за пару минут
        glas train whisper-base --rhvoice К --texts К --festvox К     как сделана та, что в models/

    Вместо К — каталоги. Прерванное продолжается той же командой. Без --rhvoice говорит синтезатор espeak-ng.
    Каждый шаг можно запустить отдельно.
train-data = Каталог для всего, что делает обучение.
train-to = Каталог модели.
train-weights = Каталог исходных весов; без него — тот, куда их кладёт `glas models get`.
train-festvox = Распакованный пакет Debian festvox-ru: чтец, на котором проверяют.
train-texts = Каталог русских текстов: распакованные пакеты Debian (fortunes-ru, …).
train-rhvoice = Распакованные пакеты Debian librhvoice5, librhvoice-core7, rhvoice-russian: голоса людей.
train-recordings = Каталоги записей с metadata.jsonl (file_name, text); на них только проверяют.
train-smoke = Весь путь в малом: проверка, а не модель.
train-picture = Файл SVG: насколько уверенность права.
train-adapter-help = Произнести фразы, посчитать цели учителя, обучить адаптер; можно прервать и продолжить.
train-weights-help = Сложить исходные веса с адаптером, оставить русский словарь, записать в int8.
train-language-model-help = Посчитать слова для языковой модели; похожее на проверочные фразы не читается.
train-calibrate-help = Измерить, насколько верить модели в каждом слове (после weights и language-model, до card).
train-card-help = Измерить модель и написать её карточку.
