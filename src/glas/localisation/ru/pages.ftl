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
sign-in-not-yours = Ссылку прислали не вы? Закройте страницу: без нажатия ничего не произойдёт.
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
page-to-studio = Распознать запись
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
