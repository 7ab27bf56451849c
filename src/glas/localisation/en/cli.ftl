# What the commands `glas …` print. Names of settings, commands and services are not translated.

glas = Glas {$version}
failed-detail = Details: {$detail}
failed-file = ✗ {$file}: {$reason}

setting-wrong = The setting {$name} is wrong: {$reason}
setting-see = All settings are described in docs/settings.md.
setting-integer = a whole number is needed
setting-number = a number is needed
setting-boolean = true or false is needed
setting-choice = allowed values: {$choices}
setting-at-least = at least {$limit} is needed
setting-at-most = at most {$limit} is allowed
setting-more-than = more than {$limit} is needed
setting-pattern = the value has the wrong format
setting-too-short =
    { $limit ->
        [one] at least {$limit} character is needed
       *[other] at least {$limit} characters are needed
    }
setting-other = the value is not allowed ({$detail})

transcribe-needs-output = ✗ Subtitles of several recordings cannot be mixed in one output: add --output DIRECTORY.
transcribe-one-stdin = ✗ Standard input “-” can be named only once.

run-loading = Loading the model…
run-hears = Glas is running and recognises speech.
run-started = Glas is running.
run-model = Model
run-check = Check
run-cost =
    {$duration} s of sound in {$seconds} s, { $times ->
        [one] {$times} time
       *[other] {$times} times
    } as fast as speech
run-check-failed = failed: {$problem}
run-bot = Bot
run-bot-heard = running: send it a voice message
run-bot-away = Telegram does not answer yet; the bot starts by itself as soon as it does
run-bot-missing = not running: it needs a token from @BotFather, then TELEGRAM_TOKEN=…
run-better = Better
run-better-why = the embedded model makes more errors than large ones: glas models shows them;
run-page = Page
run-api = {$url}/v1 — like OpenAI's; description: {$url}/openapi.json
run-stop = To stop: Ctrl+C

models-nothing-to-fetch = ✓ {$name} is the best one on disk, now {$served}; there is nothing to download
models-fetched = ✓ {$name} ({$title}) — in {$directory}
models-serves-now = It serves now: glas run
models-to-serve = To serve it: glas models use {$name}, or GLAS_MODEL={$name} glas run
models-used-best = ✓ {$title} ({$name}): the best one on disk
models-used = ✓ {$title} ({$name}): chosen
models-setting-wins = But GLAS_MODEL={$model}: as long as this is set, that one serves.
models-on-disk = on disk
models-size = {$megabytes} MB
models-served = → serves now (GLAS_MODEL={$model}).
models-auto = For auto: {$title}.
models-auto-marked = For auto: {$title}, marked with a dot.
models-auto-chosen = For auto: {$title} (chosen: glas models use).
models-auto-chosen-marked = For auto: {$title} (chosen: glas models use), marked with a dot.
models-legend =
    WER: share of wrong words in the test Russian LibriSpeech, unless another is named;
    ×: how many times as fast as speech. These figures were published by others, sources: docs/models.md.
    To download: glas models get NAME. A model of your own: GLAS_MODEL=onnx:DIRECTORY or whisper:DIRECTORY;
    any Whisper of Hugging Face: glas models get whisper:OWNER/NAME.

keys-role-user = recognition
keys-role-admin = everything, including the management of models
keys-none = There are no keys in GLAS_API_KEYS. To make one: glas keys new NAME
keys-wrong-name = ✗ The name of a key is 1 to 40 Latin letters, digits, dots, hyphens and underscores, and no other key has it.
keys-made = This is the key: give it to its owner; it will not be shown again.
keys-setting = Put this into .env in place of the line GLAS_API_KEYS, and restart the server:

evaluate-loading = the model is loading
evaluate-summary-model = Model   {$model}
evaluate-summary-data = Data    {$data}: recordings {$recordings}, minutes {$minutes}, words {$words}
evaluate-without-text = without a known text, not counted: {$count}
evaluate-failures = not recognised, not counted: {$count}
evaluate-interval = {$value}% ({$level}% interval: {$low}…{$high})
evaluate-recordings = Recordings
evaluate-recordings-told = {$recordings}; minutes {$minutes}, words {$words}
evaluate-speed = Speed on one thread
evaluate-speed-told = {$times} times as fast as the sound
evaluate-memory = Memory of the process
evaluate-parts-legend = Word errors, %; in brackets the number of words.
evaluate-worst = Worst recordings
evaluate-worst-legend = Above what was said; below what the model recognised.
evaluate-words = substitutions {$substitutions}, deletions {$deletions}, insertions {$insertions}

export-begin = starting
export-phase-messages = messages
export-phase-manifest = manifest
export-phase-dataset = dataset
export-progress = {$phase}: seen {$seen}, written {$written}, removed {$removed}
export-summary = messages {$messages}, corrected by people {$references}, {$hours} h of sound
export-work = written {$written} (moved {$moved}), removed {$removed}, seen {$seen}, {$seconds} s
export-failed = {$count} could not be exported: the log of data_loader says why

migrate-same = ✓ Database {$name}: version {$after}, nothing to update
migrate-new = ✓ Database {$name} was empty and has version {$after} now
migrate-done = ✓ Database {$name}: the version was {$before} and is {$after} now
migrate-roles = ✓ Roles of the database and their rights: {$roles}
ledger-balanced = ✓ All balances are right: people {$people}, transactions {$transactions}
ledger-wrong = ✗ Person {$id}: balance {$balance}, by the transactions {$total}

backup-contents = databases {$databases}, recordings and texts {$objects}, {$megabytes} MB
restore-forgotten = people who asked for deletion after this backup: {$count} — their data did not come back
restore-next = If there is a directory downloads, compare it: glas export --full

train-no-packages = Packages for training are missing: {$packages}. To install them: make train-setup
train-no-weights = There is no directory {$directory}. To download the weights: glas models get whisper-base

finetune-learnt = learns from {$recordings} recordings, {$minutes} min; held out {$dev}
finetune-step = step {$step} of {$steps}, loss on held-out recordings {$loss}
finetune-loss = share {$share}: loss on held-out recordings {$loss}
finetune-loss-kept =     {$name}: loss {$loss}
finetune-loss-risen =     {$name}: loss {$loss} has risen too much, so this share is not used
finetune-served = as served, with share {$share}: errors on held-out recordings {$dev}%
finetune-served-kept =     {$name}: errors {$wer}%
finetune-few-kept =
    {$name} has few words: {$words}. With fewer than {$least} (about 40 sentences), a loss is hard to tell from chance.
finetune-replayed = {$used} of {$all} recordings are used for replay, spread evenly over all directories.
finetune-no-whisper = Only a Whisper can be fine-tuned, and {$model} is none.
finetune-nothing = No share of the change is better than the previous model: no new model was written.
finetune-done = Done: {$place}. Kept {$share}% of the change; errors on held-out recordings {$before} → {$after}%.

gate-gain = Fewer errors by
gate-certainty = Not by chance: low end of the interval
gate-guard = No worse on the set “{$subject}”
gate-bucket = No worse where {$subject}
gate-nonspeech = Texts where nobody speaks
gate-speed = Slower by
gate-speakers = Speakers of the test used in training
gate-recordings = Recordings of the test used in training
gate-texts = Texts of the test used in training
gate-percent = {$value}%
gate-points = {$value} points
gate-unknown = unknown
gate-condition = Condition
gate-limit = Limit
gate-value = Measured
gate-title-passed = {$model}: passed
gate-title-refused = {$model}: did not pass
gate-wer = {$before}% → {$after}% word errors
gate-models = Present: {$champion}. New: {$candidate}. Test recordings: {$count}.
gate-parts = Parts of the test set
gate-parts-legend = Word errors, %: grey is the present model, blue the new one; in brackets the number of words.
gate-worst = Worst recordings of the new model
gate-worst-legend = From top to bottom: what was said; what the present model recognised; what the new one recognised.
gate-errors = Errors / words
gate-sound = Sound
gate-texts-column = Texts
bucket-length = length, s
bucket-level = level, dB
bucket-confidence = confidence
bucket-below = {$kind} below {$high}
bucket-between = {$kind} {$low} to {$high}
bucket-from = {$kind} from {$low}

promote-measure = measuring: {$model}
promote-speed = comparing speed
promote-no-reason = ✗ --force: give a reason.
promote-either = Give either --person or --chat.
promote-report = Report: {$page}
promote-serves = {$model} serves now. To take it back: glas models use {$former}
promote-refused = ✗ The model was not released: not all conditions hold.

learn-version = dataset version {$version}: {$minutes} new minutes
learn-again = The next try is in {$minutes} min.
learn-too-little = Dataset version {$version}: {$minutes} new minutes, too few as yet.
learn-not-better = Dataset version {$version}: fine-tuning did not help, no share of the change is better than the former model.
learn-refused = Dataset version {$version}: the new model did not pass the test.
learn-passed = Dataset version {$version}: the new model passed the test.
learn-serves = {$model} serves now.
learn-release-speaker = The model waits: with --release it answers this person.
learn-decide = The model waits for a decision: the bot asks the administrators. To release it without asking: glas models use {$model}

dataset-reason-no-target = without right words
dataset-reason-not-for-tests = not fit for tests: not a person's words
dataset-reason-both-sides = the same words are already in another split
dataset-reason-moved = just moved by an export
dataset-rank-agreed = two agreed
dataset-rank-reviewer = reviewer
dataset-rank-author = author
dataset-rank-hypothesis = model
dataset-left-out = {"  "}left out: {$reason} — {$count}
dataset-none = There is no such version. To make one: glas dataset make
dataset-for-all = for everybody
dataset-for-one = for {$speaker}
dataset-speakers-gone = ; speakers who have left the export: {$count}
dataset-side = {"  "}{$side}: {$recordings} recordings, {$minutes} min, {$speakers} speakers
dataset-ranks = ; whose words: {$ranks}
dataset-more = {"  "}also used for training: {$place} (with texts), {$recordings} recordings
dataset-more-silent = {"  "}also used for training: {$place} (without speech), {$recordings} recordings
dataset-gone = {"  "}recordings that left the export: {$gone}; changed: {$changed}
dataset-speaker-gone = {"  "}• speaker {$speaker} has left the export, but models of this version learnt from their recordings

canary-chosen = {$title} ({$name}) is the candidate: it answers {$percent}% of people, the present model answers the rest.
canary-shadow = {$percent}% of messages are recognised by both models while the server is idle; only reviewers see the second text.
canary-none = There is no candidate: one model answers everybody.
canary-ended = ✓ The candidate answers nobody any more.
canary-either = Give either a model or --end.

watch-nothing = No model was released: there is nothing to compare.
watch-counts = {$model}: ❌ {$bad} of {$rated} ratings; the previous model: {$bad_before} of {$rated_before}.
watch-too-few = The previous model has too few ratings to judge: at least {$least} are needed.
watch-fine = According to the ratings so far, the new model is not worse.
watch-worse = The new model is worse than the previous model.
watch-advice = To take it back: glas models watch --roll-back
watch-candidate-taken-back = The candidate answers nobody any more: {$model}.
watch-taken-back = The former model serves again: {$model}.

own-none = Nobody has a model of their own yet.
own-of-person = for a person
own-of-chat = for a chat
own-unused = switched off: the common model answers
own-serves = {$model} now answers its person or chat.
own-retired = Model no. {$number} answers nobody any more; the next export deletes its files.
records-none = No model has been judged yet.
records-failed = ! The decision holds, but it was not recorded: {$detail}
records-rates = word errors {$rates}%
records-taught = learnt from people: {$people}
records-withdrawn = (withdrawn or forgotten since: {$count})
records-state-candidate = waits for a decision
records-state-refused = refused
records-state-champion = serves
records-state-replaced = replaced
records-state-rolled-back = taken back
records-state-retired = retired
records-state-forced = released against the gate
records-made-of = from: {$base}; dataset version: {$data}; learnt from people: {$people}
records-administrator = administrator no. {$number}
records-not-one = ✗ Expected one model of `glas models list`; “{$model}” fits {$count}.
records-retired = Retired: {$model}.
records-serves = {$model} serves now.
