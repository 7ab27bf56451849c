# Вход на страницу

web-link =
    Вход на страницу:
    {$url}

    Ссылка действует { $minutes ->
        [one] {$minutes} минуту
        [few] {$minutes} минуты
       *[many] {$minutes} минут
    } и только один раз. Она ваша: кто её откроет, войдёт под вашим именем, поэтому никому её не пересылайте.
help-web = /web — войти на страницу в браузере
command-web = открыть страницу в браузере
sign-in-title = Вход
sign-in-impossible = На этом сервере нет базы, в которой хранятся люди, поэтому входить некуда. Распознавать записи можно и без входа.
sign-in-confirm = Вы открыли ссылку из бота. Чтобы войти в этом браузере, нажмите кнопку.
sign-in-button = Войти
sign-in-not-yours = Эту ссылку вам прислал кто-то другой? Закройте страницу: без нажатия ничего не произойдёт.
sign-in-step-bot = Откройте бота в Telegram и отправьте ему
sign-in-step-link =
    Откройте ссылку, которую он пришлёт. Она действует { $minutes ->
        [one] {$minutes} минуту
        [few] {$minutes} минуты
       *[many] {$minutes} минут
    }.
sign-in-step-button = Нажмите «Войти».
sign-in-why = Пароля нет: вас узнаёт Telegram.
sign-in-stale = Эта ссылка уже использована или устарела. Получите новую: отправьте боту /web.
sign-in-too-often = Слишком много неудачных попыток. Подождите минуту.

# Рамка страниц

page-brand = Глас
page-skip = К содержанию
page-navigation = Страницы
page-to-studio = Распознать запись без входа
page-sign-out = Выйти
page-home = Обзор
page-home-about = С чего начать
page-studio = Распознать запись
page-studio-about = Голос или файл — в текст, прямо в браузере
home-greeting = Здравствуйте!
home-standing = {$coins} · {$role}
home-language = Язык страниц и бота
failure-title = Не получилось
failure-back = Назад

# Проверка записей

page-review = Проверка
page-review-about = Слушать записи и проверять тексты
review-item = Запись
review-play = Слушать или остановить
review-speed = Скорость
review-slower = Медленнее
review-faster = Быстрее
review-loop = Повтор
review-auto = Играть сразу
review-field = Всё, что сказано
review-send = Отправить
review-leave = Вернуться к записи
review-undo = Отменить ответ
review-loading = Загружаю…
review-page-empty = Всё проверено. Новые записи появятся здесь сами.
review-no-sound = Звук этой записи не загрузился. Обновите страницу или пропустите запись.
review-not-sent = Ответ не дошёл до сервера. Запись снова перед вами: ответьте ещё раз.
review-no-answer = Сервер не отвечает. Спрошу его снова через несколько секунд.
review-lost = Эту запись уже проверил кто-то другой, или её удалили.
review-kept = Записано.
review-earned = Сошлось с независимой проверкой: {$coins}!
review-unchanged = Текст не изменён: если он верен, нажмите 1.
review-second = Другая модель услышала:
review-corrected = исправлено
review-taken-back = Ответ отменён.
review-nothing-to-take-back = Отменять нечего.
review-not-taken-back = Этот ответ уже не отменить: прошло больше пяти минут, или о записи высказался кто-то ещё.
review-today =
    Сегодня: { $count ->
        [one] {$count} запись
        [few] {$count} записи
       *[many] {$count} записей
    }
review-agreement = Совпало с другими: {$agreed} из {$compared}
review-agreement-none = Сверок с другими пока не было
review-rules = Пишите слова так, как они сказаны, с повторами и оговорками. Регистр, знаки препинания и запись чисел не важны. Голоса — чужие: не пересказывайте услышанное.
verdict-accept = Верно
verdict-about-accept = слово в слово
verdict-correct = Исправить
verdict-about-correct = что-то не так
verdict-bad_audio = Не разобрать
verdict-about-bad_audio = говорят неясно
verdict-not_speech = Не речь
verdict-about-not_speech = шум, музыка, тишина
verdict-other_voice = Чужой голос
verdict-about-other_voice = фильм, радио, не хозяин
verdict-skip = Пропустить
verdict-about-skip = не берусь судить
key-space = Пробел
review-key-play = слушать
review-key-seek = 2 секунды
review-key-speed = скорость
review-key-again = с начала
review-key-loop = повторять слово или выделенное
review-key-play-editing = слушать, пока пишете
