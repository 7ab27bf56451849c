# Страница «Показатели», для администраторов

page-dashboard = Показатели
page-dashboard-about = Сколько, как точно и как быстро; монеты и ошибки
dash-counted = Числа из базы на
dash-recount = Пересчитать
dash-now = Сейчас
dash-in-flight = Распознаются или ждут
dash-pending = Ответа ещё нет
dash-oldest = Самая старая, UTC
dash-processing = Работа, {$share}
dash-waiting = Ожидание, {$share}
dash-factor = Секунд работы на секунду звука
dash-now-note = С запуска nn_service. За p50, p95 и p99 успевают 50, 95 и 99 % запросов; это оценка по границам гистограмм. Работа и ожидание считаются отдельно.
dash-no-recognition = nn_service не отвечает: его цифр нет.
dash-outcomes = Запросы по исходу:
dash-query = Запрос SQL
dash-prometheus = Запросы Prometheus: цифры nn_service из /metrics
dash-numbers = Числа
dash-nothing = Пока нечего показать.
dash-database = Запросы выполнены в {$name}. Время — UTC.
dash-days = По дням
dash-days-note = Последние 30 дней.
dash-wer = WER по версиям моделей, %
dash-wer-note = WER — доля слов с ошибками: тексты моделей против слов людей, 12 недель. Запрос даёт пары текстов, ошибки считаются после нормализации RU-NORM.
dash-scores = Оценки по неделям, %
dash-scores-note = Доли ❌, 👌 и ✅ среди оценённых, 12 недель.
dash-rated = Оценено
dash-reliability = Уверенность и точность
dash-reliability-note = По горизонтали — насколько модель уверена в записи, по вертикали — доля верных слов. На пунктире они равны. Запрос тот же, что у WER.
dash-second = Две модели на одних записях
dash-second-note = Записи, которые распознали и кандидат, и нынешняя модель, 12 недель; на каждую пару — две строки. В скобках — записи со словами людей, по ним WER. Запрос даёт тексты; сравниваются они после RU-NORM.
dash-training = Данные для обучения, мин
dash-training-note = Записи с верными словами и согласием автора, по тому, чьи это слова.
dash-rank-agreed = двое
dash-rank-reviewer = проверяющий
dash-rank-author = автор
dash-coins = Монеты
dash-ledger-right =
    Баланс { $people ->
        [one] {$people} человека равен
        [few] {$people} человек равен
       *[many] {$people} человек равен
    } сумме их начислений: всего {$total}.
dash-ledger-wrong =
    Баланс { $people ->
        [one] {$people} человека
        [few] {$people} человек
       *[many] {$people} человек
    } не равен сумме начислений!
dash-errors = Ошибки
dash-errors-note = Записи без текста за 30 дней, по коду ошибки.
dash-exports = Выгрузка
dash-no-export = data_loader не отвечает.
dash-export-never = С запуска data_loader выгрузки не было.
dash-export-run = Последняя с запуска, № {$number}:
dash-export-runs = Идёт: {$phase}
dash-export-source = Так data_loader отвечает на GET /export.
dash-export-failed = Не удалось
dash-column-day = День
dash-column-week = Неделя
dash-column-messages = Записи
dash-column-minutes = Минуты
dash-column-people = Люди
dash-column-version = Модель и версия
dash-column-references = Со словами людей
dash-column-words = Слова
dash-column-confidence = Уверенность
dash-column-right = Доля верных слов
dash-column-rank = Чьи слова
dash-column-reason = За что
dash-column-entries = Начислений
dash-column-coins = Монет
dash-column-code = Код
dash-column-last = Последняя
dash-column-example = Пример
dash-column-same = Совпали
