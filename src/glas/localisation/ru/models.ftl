# Страница «Модели», для администраторов

page-models = Модели
page-models-about = Какая модель работает, чему училась, что показала проверка; включить или вернуть прежнюю
models-now = Сейчас распознаёт {$model}, версия {$version}.
models-now-unknown = nn_service не отвечает: неизвестно, какая модель работает.
models-none = Проверенных моделей пока нет. Они появятся после glas learn или glas promote.
models-passed = проверку прошла
models-failed = проверку не прошла
models-unjudged = Здесь её не проверяли: она работала до одной из этих моделей или её выбрали вручную.
models-wer = Ошибок в словах
models-trial = Кандидат: {$model}
models-trial-share = Отвечает {$share} людей, остальным отвечает нынешняя модель.
models-trial-shadow = Кроме того, {$share} записей распознают обе модели; второй текст видят только проверяющие.
models-trial-begins = Ещё нет ни оценок её текстов, ни записей, которые распознали обе модели.
models-trial-decide = Проверка и решение
models-trial-people = На сообщениях людей
models-trial-ratings = Плохих оценок (❌) у этой модели {$bad} из {$rated}, у той, с которой её сравнивают, {$bad_before} из {$rated_before}.
models-trial-texts =
    Обе модели распознали { $count ->
        [one] {$count} запись
        [few] {$count} записи
       *[many] {$count} записей
    }; тексты совпали в {$same}.
models-trial-no-texts = Записей, которые распознали бы обе модели, нет.
models-trial-wer =
    Ошибок в словах у этой модели {$after}, у другой {$before}: { $count ->
        [one] {$count} запись
        [few] {$count} записи
       *[many] {$count} записей
    } с верными словами.
models-rounds = Обучение по шагам
models-rounds-about = Последние запуски glas learn, новые сверху. Время шага — сколько он длился.
models-no-rounds = Обучение ещё не запускали.
models-step-export = Выгрузка
models-step-dataset = Набор данных
models-step-finetune = Дообучение
models-step-evaluate = Проверка
models-step-decide = Решение
models-step-runs = не закончен, начат
models-step-dataset-told = записей {$recordings}, новых минут {$minutes}
models-step-finetune-told = выучено минут {$minutes}, доля изменения {$share}
models-outcome-candidate = ждёт решения
models-outcome-champion = модель включена
models-outcome-refused = модель отклонена
models-outcome-replaced = модель уже заменена
models-outcome-rolled-back = модель снята
models-outcome-retired = модель списана
models-outcome-not-better = ни одна доля изменения не лучше прежней модели
models-back = ← Модели
models-until-restart = Модель работает, но только до перезапуска: в настройке GLAS_MODEL указана другая.
models-other-serves = Решено, что работает эта модель, но сейчас распознаёт {$model}.
models-serve-again = Включить её
models-no-recognition = nn_service не подключён к страницам: включить модель или вернуть прежнюю отсюда нельзя.
models-promote-title = Включить эту модель
models-promote-about = Она заменит нынешнюю без перезапуска; запросы, которые уже идут, закончит прежняя. Решение попадёт в журнал.
models-promote = Включить
models-force-about = Проверку модель не прошла. Включить её всё равно можно, если есть причина; причина останется в истории решений.
models-force = Включить вопреки проверке
models-reason = Причина
models-reason-optional = Причина (необязательно)
models-roll-back-title = Вернуть прежнюю модель
models-roll-back-about = Снова будет работать {$model}. Эту модель можно будет включить ещё раз.
models-roll-back = Вернуть прежнюю
models-verdict = Проверка
models-held = выполнено
models-broken = не выполнено
models-unasked = не проверялось
models-unasked-gain = Ошибок меньше
models-unasked-certainty = Это не случайность
models-unasked-guard = Не хуже на других наборах
models-unasked-nonspeech = Текстов там, где никто не говорит
models-unasked-speed = Не медленнее
models-unasked-bucket = Не хуже на частях набора: в них мало слов
models-unasked-speakers = Проверочных голосов не было в обучении: для личной модели не требуется
models-unasked-recordings = Проверочных записей не было в обучении
models-unasked-texts = Проверочных текстов не было в обучении: требуется только для личной модели
models-report = Отчёт: части набора и худшие записи
models-report-audited = В нём голоса и слова людей: кто его открыл, попадёт в журнал.
models-no-report = Отчёта нет на машине data_loader: он лежит на другой или удалён вместе с чьими-то данными.
models-lineage = Происхождение
models-base = Из модели
models-data = Набор данных
models-minutes = Минут для обучения
models-recordings = Записей для обучения
models-share = Доля изменения
models-people = Училась у людей
models-withdrawn =
    { $count ->
        [one] из них {$count} с тех пор отозвал согласие или удалил данные
        [few] из них {$count} с тех пор отозвали согласие или удалили данные
       *[many] из них {$count} с тех пор отозвали согласие или удалили данные
    }
models-told = Людям рассказано о ней
models-place = Где лежит
models-recipe = Рецепт
models-decisions = История решений
models-decided = Решение
models-forced = вопреки проверке
models-administrator = администратор № {$number}
models-served-before = Модель до
models-served-after = Модель после
models-no-decisions = Решений нет.
audit-model = решение о модели
audit-read-report = открыт отчёт о модели
