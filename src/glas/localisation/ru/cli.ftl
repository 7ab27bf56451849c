# Что печатают команды `glas …`. Имена настроек, команд и служб не переводятся.

glas = Глас {$version}
failed-detail = Подробности: {$detail}
failed-file = ✗ {$file}: {$reason}

setting-wrong = Неверная настройка {$name}: {$reason}
setting-see = Все настройки описаны в docs/settings.md.
setting-integer = нужно целое число
setting-number = нужно число
setting-boolean = нужно true или false
setting-choice = возможны значения: {$choices}
setting-at-least = нужно не меньше {$limit}
setting-at-most = нужно не больше {$limit}
setting-more-than = нужно больше {$limit}
setting-pattern = значение не в том формате
setting-too-short =
    { $limit ->
        [one] нужен хотя бы {$limit} символ
        [few] нужно хотя бы {$limit} символа
       *[many] нужно хотя бы {$limit} символов
    }
setting-other = недопустимое значение ({$detail})

transcribe-needs-output = ✗ Субтитры нескольких записей нельзя смешивать в одном выводе: укажите --output КАТАЛОГ.
transcribe-one-stdin = ✗ Стандартный ввод «-» можно указать только один раз.

run-loading = Загружаю модель…
run-hears = Глас запущен и распознаёт речь.
run-started = Глас запущен.
run-model = Модель
run-check = Проверка
run-cost =
    {$duration} с звука за {$seconds} с, { $times ->
        [one] в {$times} раз
        [few] в {$times} раза
        [many] в {$times} раз
       *[other] в {$times} раза
    } быстрее речи
run-check-failed = не удалась: {$problem}
run-bot = Бот
run-bot-heard = запущен: отправьте ему голосовое сообщение
run-bot-away = Telegram пока не отвечает; бот начнёт работать сам, как только появится связь
run-bot-missing = не запущен: нужен токен от @BotFather, затем TELEGRAM_TOKEN=…
run-better = Точнее
run-better-why = встроенная модель ошибается чаще больших: glas models покажет их;
run-page = Страница
run-api = {$url}/v1 — как у OpenAI; описание: {$url}/openapi.json
run-stop = Остановить: Ctrl+C

models-nothing-to-fetch = ✓ {$name} — лучшая из тех, что на диске, сейчас {$served}; скачивать нечего
models-fetched = ✓ {$name} ({$title}) — в {$directory}
models-serves-now = Теперь распознаёт она: glas run
models-to-serve = Чтобы распознавала она: glas models use {$name}, или GLAS_MODEL={$name} glas run
models-used-best = ✓ {$title} ({$name}): лучшая из тех, что на диске
models-used = ✓ {$title} ({$name}): выбрана
models-setting-wins = Но GLAS_MODEL={$model}: пока так задано, распознаёт она.
models-on-disk = на диске
models-size = {$megabytes} МБ
models-served = → распознаёт сейчас (GLAS_MODEL={$model}).
models-auto = Для auto — {$title}.
models-auto-marked = Для auto — {$title}, она отмечена точкой.
models-auto-chosen = Для auto — {$title} (выбрана: glas models use).
models-auto-chosen-marked = Для auto — {$title} (выбрана: glas models use), она отмечена точкой.
models-legend =
    WER — доля ошибок в словах на тесте Russian LibriSpeech, если не указан другой;
    × — во сколько раз быстрее речи. Это чужие опубликованные цифры, источники: docs/models.md.
    Скачать: glas models get ИМЯ. Своя модель: GLAS_MODEL=onnx:КАТАЛОГ или whisper:КАТАЛОГ;
    любая Whisper с Hugging Face: glas models get whisper:ВЛАДЕЛЕЦ/ИМЯ.

keys-role-user = распознавание
keys-role-admin = всё, включая управление моделями
keys-none = Ключей в GLAS_API_KEYS нет. Сделать: glas keys new ИМЯ
keys-wrong-name = ✗ Имя ключа — от 1 до 40 латинских букв, цифр, точек, дефисов и подчёркиваний; оно не должно повторяться.
keys-made = Это ключ: отдайте его владельцу, второй раз он показан не будет.
keys-setting = Впишите в .env вместо прежней строки GLAS_API_KEYS и перезапустите сервер:

evaluate-loading = модель загружается
evaluate-summary-model = Модель  {$model}
evaluate-summary-data = Данные  {$data}: записей {$recordings}, минут {$minutes}, слов {$words}
evaluate-without-text = без известного текста, не учтено: {$count}
evaluate-failures = не распозналось, не учтено: {$count}
evaluate-interval = {$value} % ({$level}-процентный интервал: {$low}…{$high})
evaluate-recordings = Записи
evaluate-recordings-told = {$recordings}; минут {$minutes}, слов {$words}
evaluate-speed = Скорость на одном потоке
evaluate-speed-told = быстрее звука в {$times} раза
evaluate-memory = Память процесса
evaluate-parts-legend = Ошибки в словах, %; в скобках число слов.
evaluate-worst = Худшие записи
evaluate-worst-legend = Сверху — что сказано, снизу — что распознала модель.
evaluate-words = замен {$substitutions}, пропусков {$deletions}, вставок {$insertions}

export-begin = начинаю
export-phase-messages = сообщения
export-phase-manifest = манифест
export-phase-dataset = датасет
export-progress = {$phase}: просмотрено {$seen}, записано {$written}, убрано {$removed}
export-summary = сообщений {$messages}, из них исправлено людьми {$references}, {$hours} ч звука
export-work = записано {$written} (перенесено {$moved}), убрано {$removed}, просмотрено {$seen}, {$seconds} с
export-failed = не удалось выгрузить {$count}: причины — в журнале data_loader

migrate-same = ✓ База {$name}: версия {$after}, обновлять нечего
migrate-new = ✓ База {$name} была пустой, теперь в ней версия {$after}
migrate-done = ✓ База {$name}: была версия {$before}, стала {$after}
migrate-roles = ✓ Роли базы данных и их права: {$roles}
ledger-balanced = ✓ Всё сходится: людей {$people}, операций {$transactions}
ledger-wrong = ✗ Человек {$id}: баланс {$balance}, по операциям {$total}

backup-contents = баз данных {$databases}, записей и текстов {$objects}, {$megabytes} МБ
restore-forgotten = после этой копии попросили удалить свои данные: {$count} — они не вернулись
restore-next = Если есть каталог downloads, сверьте его: glas export --full

train-no-packages = Для обучения не хватает пакетов: {$packages}. Установить: make train-setup
train-no-weights = Нет каталога {$directory}. Скачать веса: glas models get whisper-base

finetune-learnt = учится на {$recordings} записях, {$minutes} мин; отложено {$dev}
finetune-step = шаг {$step} из {$steps}, потери на отложенных {$loss}
finetune-loss = доля {$share}: потери на отложенных {$loss}
finetune-loss-kept =     {$name}: потери {$loss}
finetune-loss-risen =     {$name}: потери {$loss} — слишком выросли, эта доля не подходит
finetune-served = в работе, доля {$share}: ошибок на отложенных {$dev} %
finetune-served-kept =     {$name}: ошибок {$wer} %
finetune-few-kept =
    В наборе {$name} мало слов: {$words}. Нужно хотя бы {$least} (примерно 40 предложений): иначе ухудшение не отличить от случайности.
finetune-replayed = Для повторения взято {$used} записей из {$all}, равномерно из всех каталогов.
finetune-no-whisper = Дообучить можно только Whisper, а {$model} — другая модель.
finetune-nothing = Ни одна доля выученного не лучше прежней модели: новая не записана.
finetune-done = Готово: {$place}. Оставлено {$share} % выученного; ошибок на отложенных записях {$before} → {$after} %.

gate-gain = Ошибок меньше на
gate-certainty = Это не случайность: нижняя граница интервала
gate-guard = Не хуже на наборе «{$subject}»
gate-bucket = Не хуже, где {$subject}
gate-nonspeech = Текстов там, где никто не говорит
gate-speed = Медленнее на
gate-speakers = Людей из проверочных записей было в обучении
gate-recordings = Проверочных записей было в обучении
gate-texts = Проверочных текстов было в обучении
gate-percent = {$value} %
gate-points = {$value} п. п.
gate-unknown = неизвестно
gate-condition = Условие
gate-limit = Граница
gate-value = Измерено
gate-title-passed = {$model}: прошла проверку
gate-title-refused = {$model}: не прошла проверку
gate-wer = {$before} % → {$after} % ошибок в словах
gate-models = Сейчас: {$champion}. Новая: {$candidate}. Проверочных записей: {$count}.
gate-parts = Части проверочного набора
gate-parts-legend = Ошибки в словах, %: серым — нынешняя модель, синим — новая; в скобках число слов.
gate-worst = Худшие записи новой модели
gate-worst-legend = Сверху вниз: что сказано; что распознала нынешняя модель; что распознала новая.
gate-errors = Ошибок / слов
gate-sound = Звук
gate-texts-column = Тексты
bucket-length = длина в секундах
bucket-level = громкость в децибелах
bucket-confidence = уверенность
bucket-below = {$kind} меньше {$high}
bucket-between = {$kind} {$low}–{$high}
bucket-from = {$kind} от {$low}

promote-measure = измеряется: {$model}
promote-speed = сравнивается скорость
promote-no-reason = ✗ --force: напишите причину.
promote-either = Укажите либо --person, либо --chat.
promote-report = Отчёт: {$page}
promote-serves = Теперь распознаёт {$model}. Вернуть прежнюю: glas models use {$former}
promote-refused = ✗ Модель не выпущена: выполнены не все условия.

learn-version = версия набора {$version}: новых минут {$minutes}
learn-again = Следующая попытка через {$minutes} мин.
learn-too-little = Версия набора {$version}: новых минут {$minutes}, пока мало.
learn-not-better = Версия набора {$version}: дообучение не помогло, ни одна доля выученного не лучше прежней модели.
learn-refused = Версия набора {$version}: новая модель не прошла проверку.
learn-passed = Версия набора {$version}: новая модель прошла проверку.
learn-serves = Теперь распознаёт {$model}.
learn-release-speaker = Модель ждёт: с --release она будет отвечать этому человеку.
learn-decide = Модель ждёт решения: бот спросит администраторов. Выпустить без вопроса: glas models use {$model}

dataset-reason-no-target = без верных слов
dataset-reason-not-for-tests = для проверки не годятся: слова написал не человек
dataset-reason-both-sides = те же слова уже в другой части набора
dataset-reason-moved = перенесены выгрузкой прямо сейчас
dataset-rank-agreed = сошлись двое
dataset-rank-reviewer = проверяющий
dataset-rank-author = автор
dataset-rank-hypothesis = модель
dataset-left-out = {"  "}не вошло: {$reason} — {$count}
dataset-none = Таких версий нет. Сделать: glas dataset make
dataset-for-all = для всех
dataset-for-one = для {$speaker}
dataset-speakers-gone = ; говорящих больше нет в выгрузке: {$count}
dataset-side = {"  "}{$side}: записей {$recordings}, {$minutes} мин, говорящих {$speakers}
dataset-ranks = ; чьи слова: {$ranks}
dataset-more = {"  "}дополнительно для обучения: {$place} (с текстами), записей {$recordings}
dataset-more-silent = {"  "}дополнительно для обучения: {$place} (без речи), записей {$recordings}
dataset-gone = {"  "}ушло из выгрузки записей: {$gone}; изменилось: {$changed}
dataset-speaker-gone = {"  "}• говорящего {$speaker} в выгрузке больше нет, а модели этой версии учились на его записях

canary-chosen = {$title} ({$name}) — кандидат: отвечает {$percent} % людей, остальным отвечает прежняя модель.
canary-shadow = Ещё {$percent} % сообщений распознают обе модели, когда сервер свободен; второй текст видят только те, кто проверяет записи.
canary-none = Кандидата нет: всем отвечает одна модель.
canary-ended = ✓ Кандидат больше никому не отвечает.
canary-either = Укажите либо модель, либо --end.

watch-nothing = Модель не менялась: сравнивать нечего.
watch-counts = {$model}: ❌ {$bad} из {$rated} оценок; у прежней — {$bad_before} из {$rated_before}.
watch-too-few = У прежней модели слишком мало оценок, чтобы судить: нужно не меньше {$least}.
watch-fine = Новая не хуже прежней, насколько можно судить по оценкам.
watch-worse = Новая хуже прежней.
watch-advice = Вернуть прежнюю: glas models watch --roll-back
watch-candidate-taken-back = Кандидат больше никому не отвечает: {$model}.
watch-taken-back = Прежняя модель возвращена: {$model}.

own-none = Своих моделей пока нет ни у кого.
own-of-person = для человека
own-of-chat = для чата
own-unused = выключена: отвечает общая
own-serves = Для своего человека или чата теперь распознаёт {$model}.
own-retired = Модель № {$number} больше никому не отвечает; её файлы удалит следующая выгрузка.
records-none = Проверенных моделей пока нет.
records-failed = ! Решение действует, но не записано: {$detail}
records-rates = ошибок в словах {$rates} %
records-taught = училась у людей: {$people}
records-withdrawn = (отозвали согласие или удалили данные: {$count})
records-state-candidate = ждёт решения
records-state-refused = отклонена
records-state-champion = распознаёт
records-state-replaced = заменена
records-state-rolled-back = снята
records-state-retired = списана
records-state-forced = выпущена вопреки проверке
records-made-of = из: {$base}; набор данных: {$data}; училась у людей: {$people}
records-administrator = администратор № {$number}
records-not-one = ✗ Нужна одна модель из `glas models list`; по «{$model}» нашлось: {$count}.
records-retired = Списана: {$model}.
records-serves = Теперь распознаёт {$model}.
