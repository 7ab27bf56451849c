# Что говорит `glas doctor`: находка и, после «→», совет.

doctor-program = Глас {$version}, Python {$python}, процессоров: {$processors}
doctor-parts = проверяю части: {$parts}
doctor-no-package = нет пакета {$package} ({$purpose})
doctor-no-package-do = pip install 'glas-asr[asr]' или make setup
doctor-purpose-av = чтение звука
doctor-purpose-onnxruntime = распознавание
doctor-purpose-onnx_asr = модели ONNX
doctor-purpose-ctranslate2 = модели Whisper
doctor-data = каталог данных {$path}, свободно {$gigabytes} ГБ
doctor-data-forbidden = в каталог данных {$path} нельзя писать
doctor-data-forbidden-do = укажите другой: GLAS_DATA_DIR=…
doctor-model-unheard = модель {$title} ({$name}) загружена, но примеров для проверки нет
doctor-model-broken = модель {$name} не работает: {$problem}
doctor-model =
    модель {$title} ({$name}): «{$text}», { $times ->
        [one] в {$times} раз
        [few] в {$times} раза
        [many] в {$times} раз
       *[other] в {$times} раза
    } быстрее речи
doctor-embedded = встроенная модель ошибается чаще больших
doctor-embedded-do = точнее: glas models get onnx:gigaam-v3-ctc
doctor-champion-missing = в {$place} указана модель {$name}, а на диске её нет
doctor-port-taken = порт {$port} занят: другой программой или частью Гласа, которая не отвечает
doctor-port-taken-do = другой порт: {$variable}=8080
doctor-port-ours = порт {$port}: здесь уже работает часть Гласа, вторую здесь не запустить
doctor-port = порт {$port} свободен
doctor-will-not-start = с этими настройками сервер не запустится: {$problem}
doctor-hub = хранилище моделей {$address} доступно
doctor-hub-away = хранилище моделей {$address} недоступно
doctor-hub-away-do = модели можно скопировать файлами: glas models get ИМЯ скажет, какие и куда; зеркало: HF_ENDPOINT=…
doctor-no-pip = в этом окружении нет pip
doctor-no-pip-do = без хранилища моделей whisper-base скачивается через pip: uv pip install pip или python -m ensurepip
doctor-no-torch = torch не установлен: он нужен только для обучения (make train-setup)
doctor-torch = torch установлен: обучать можно ({$prefix})

doctor-database-later = база данных: встроенная, появится при первом запуске
doctor-database-unchecked = база данных не проверена: нет пакета {$package}
doctor-database-away = база данных не отвечает: {$problem}
doctor-database-away-do = проверьте GLAS_DATABASE_URL
doctor-database = база данных {$name}: таблицы версии {$version}
doctor-database-updates = база данных {$name}: таблицы обновит следующий запуск
doctor-database-old = база данных {$name}: таблицы версии {$version}, нужна {$newest}
doctor-database-empty = база данных {$name}: таблиц ещё нет
doctor-store-directory = хранилище записей: каталог {$path}
doctor-store-unchecked = хранилище не проверено: нет пакета {$package}
doctor-store-away = хранилище {$place} не отвечает: {$problem}
doctor-store-away-do = проверьте GLAS_S3_…
doctor-store = хранилище записей {$place} отвечает
doctor-bucket = {$endpoint}, бакет {$bucket}
doctor-service-away = {$part} не отвечает: {$problem}
doctor-service-url-do = проверьте {$variable}_URL
doctor-service-hangs = {$part} принимает соединение, но не отвечает
doctor-service-hangs-do = {$part} завис: перезапустите его
doctor-service-ill = {$part} отвечает, но работать не может: {$status}
doctor-service-ill-do = посмотрите его журнал
doctor-service-key = {$part} не принимает наш ключ
doctor-service-key-do = проверьте {$variable}_TOKEN
doctor-service = {$part} отвечает и принимает наш ключ
doctor-bot-none = бот не настроен: нет TELEGRAM_TOKEN (токен даёт @BotFather)
doctor-bot-unknown = Telegram не знает этого токена
doctor-bot-unknown-do = новый токен даёт @BotFather: TELEGRAM_TOKEN=…
doctor-bot-refused = Telegram ответил {$status}: бот заработает, когда Telegram снова станет доступен
doctor-bot-away = Telegram ({$address}) недоступен: бот заработает, когда появится связь
doctor-bot-away-do = проверьте сеть; другой сервер Bot API: GLAS_TELEGRAM_API_URL=…
doctor-bot = бот @{$name}
doctor-bot-privacy = режим приватности включён: голосовых в группах бот не видит
doctor-bot-privacy-do = в @BotFather: /setprivacy → Disable, затем добавьте бота в группы снова; или сделайте его администратором
doctor-bot-no-admins = у бота нет администраторов
doctor-bot-no-admins-do = укажите их: ADMIN_USER_IDS=ваш ID в Telegram

doctor-clock-database = базы данных
doctor-clock = часы {$of} показывают то же время, что и часы этой машины
doctor-clock-wrong = часы {$of} и часы этой машины расходятся на {$seconds} с
doctor-clock-do = включите NTP на обеих машинах (timedatectl set-ntp true)
doctor-database-size = в базе данных {$megabytes} МБ
doctor-database-rights = роль, с которой мы вошли в базу данных, может переписать журнал монет
doctor-database-rights-do = для glas migrate так и нужно; db_assist дайте роль …_app (docs/operations.md, Roles of the database)
doctor-probe = пробный объект записан в хранилище, прочитан и удалён
doctor-probe-failed = пробный объект не удалось записать в хранилище, прочитать и удалить: {$problem}
doctor-probe-failed-do = проверьте права ключа GLAS_S3_ACCESS_KEY и место на диске хранилища
doctor-service-version = {$part}: версия {$version}, как у нас
doctor-service-other-version = {$part}: версия {$version}, а у нас {$ours}
doctor-service-other-version-do = обновите все части до одной версии
doctor-webhook = адрес вебхука в Telegram такой же, как в настройках
doctor-polling = вебхука нет: бот сам запрашивает обновления
doctor-webhook-foreign = в Telegram задан вебхук на {$host}, а в настройках вебхука нет
doctor-webhook-foreign-do = бот удалит его при запуске; если вебхуком пользуется другая программа, дайте ей другого бота
doctor-webhook-missing = вебхук в Telegram ещё не задан или его адрес не такой, как в настройках
doctor-webhook-missing-do = бот задаст его при запуске; проверьте GLAS_BOT__WEBHOOK_URL
doctor-webhook-error = Telegram не смог доставить обновление: {$problem}
doctor-webhook-error-do = проверьте, что адрес вебхука открыт снаружи и сертификат верен
doctor-updates-wait = в Telegram ждут доставки обновления: {$count}
doctor-updates-wait-do = запущен ли бот? Telegram хранит обновления сутки
doctor-model-whole = файлы модели целы: {$path}
doctor-model-damaged = файлы модели не совпадают с SHA256SUMS: {$path}: {$files}
doctor-model-damaged-do = скачайте модель ещё раз: glas models get ИМЯ
doctor-disk = свободно {$gigabytes} ГБ: {$path}
doctor-disk-do = освободите место: на полном диске база данных останавливается
