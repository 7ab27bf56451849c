# Help of the command line: what `glas --help` and `glas COMMAND --help` print.

usage = Usage:
usage-options = [OPTIONS]
usage-command = COMMAND [ARGUMENTS]...
usage-help = Show this help.
usage-arguments-title = Arguments
usage-options-title = Options
usage-commands-title = Commands
usage-default = default: {$value}
usage-required = required
usage-see = Help: {$command}
usage-missing-argument = Missing argument {$name}
usage-missing-option = Missing option {$name}
usage-missing-command = Missing command
usage-no-option = There is no option {$name}{ $similar ->
        [none] {""}
       *[other] . Similar: {$similar}
    }
usage-no-command = There is no command {$name}{ $similar ->
        [none] {""}
       *[other] . Similar: {$similar}
    }
usage-extra-argument = Unexpected argument: {$name}
usage-no-value = The option {$name} needs a value
usage-needless-value = The option {$name} takes no value
usage-choice = The value {$value} is not allowed for {$name}. Allowed: {$choices}
usage-wrong-value = The value of {$name} is not allowed: {$why}

metavar-file = FILE
metavar-directory = DIRECTORY
metavar-name = NAME
metavar-model = MODEL
metavar-part = PART
metavar-key = KEY

glas-help =
    **Glas** turns Russian speech into text: voice messages, recordings, videos.

    Try it at once, offline and without settings:

        glas transcribe samples/*.ogg        text in the terminal
        glas run                             page and API at http://127.0.0.1:8000
        glas models                          which models exist, and which are on disk
        glas doctor                          whether all is well, and what to mend

    Settings are variables `GLAS_…` or a file `.env`; docs/settings.md describes them all.
glas-version = Show the version.

transcribe-help =
    Turn recordings into text.

    Examples:

        glas transcribe voice.ogg                          text in the terminal
        glas transcribe *.ogg --format srt --output out    subtitles into the directory out
        cat voice.ogg | glas transcribe -                  from standard input
        glas transcribe talk.mp4 --format json             words, times and confidence (as verbose_json in the API)

    The format is recognised by the content, not by the name; almost any audio or video will do.
    A file that fails does not stop the others; the exit code is then 1.
transcribe-files = Recordings; `-` is standard input.
transcribe-model = Model: a name from `glas models`, or `onnx:DIRECTORY`.
transcribe-format = Format of the result.
transcribe-output = Directory for the results, one file for each recording.

run-help =
    Start parts of the system in one process (all, if none is named; the bot, if TELEGRAM_TOKEN is set).

    Parts: {$parts}. The page and the API open at http://127.0.0.1:8000.

        glas run                                     everything at once
        GLAS_PORT=8080 glas run                      on another port
        GLAS_MODEL=onnx:gigaam-v3-ctc glas run       with another model
        glas run nn_service                          recognition only, port 8001
        GLAS_NN_SERVICE_URL=http://gpu:8001 glas run web       the page apart from recognition

    Ctrl+C stops it: recognitions that have begun are finished; a second Ctrl+C stops at once.

evaluate-help =
    Measure the errors of a model on recordings whose text is known.

    Examples:

        glas evaluate embedded --data test                  a directory with metadata.jsonl or manifest.jsonl
        glas evaluate auto --data manifest.jsonl --json     everything, with the text of each recording

    The recordings are recognised by this same program, exactly as the server does it: with the same settings, search for
    speech, removal of text that nobody said, and writing of numbers. Data: a directory in the form of `audiofolder`
    (metadata.jsonl: file_name, text), a NeMo manifest (audio_filepath, text) or a directory with one, including what
    `glas export` writes.

    WER and CER are computed on normalised text (RU-NORM), over all recordings together. The interval is a bootstrap over
    recordings (Bisani, Ney, 2004), always with the same seed.
evaluate-model = A name from `glas models`, or `onnx:DIRECTORY`.
evaluate-data = Directory of recordings, or a manifest.
evaluate-page = Write a page (HTML) with charts and the worst recordings, which can be played. 120 sounds without speech are measured, too.
evaluate-json = Print everything as JSON.

models-help =
    Which models exist and which are on disk; `glas models get NAME` downloads, `glas models use NAME` chooses.

    The model that GLAS_MODEL names is served; `auto` is the chosen one, or the best one on disk if none was chosen.
    No model is ever downloaded by itself.
models-get-help = Download a model into the data directory; the same command resumes what was interrupted.
models-get-name = A name from `glas models`, such as `onnx:gigaam-v3-ctc`.
models-use-help = Choose the model to serve with GLAS_MODEL=auto; `auto` takes the choice back.
models-use-name = A name from `glas models`, a directory, or `auto` for the best one.
models-list-help = Models that were judged here: state, errors, from how many people they learnt and how many of these have withdrawn.
models-history-help = Who released, refused or took back a model and when, what it is made of, and what the gate measured.
models-history-model = A number, name or version of `glas models list`.
models-retire-help = Retire a model, for example if people from whom it learnt have withdrawn their consent; the previous model serves again.
models-retire-reason = Why.
models-canary-help = Let a candidate answer a share of people before it is decided whether it serves everybody.
models-canary-name = A name from `glas models`, or a directory; without a name the candidate is shown.
models-canary-share = Share of people, 0 to 1; a person is always answered by the same model.
models-canary-shadow = Share of messages, 0 to 1, that the other model recognises, too, while the server is idle.
models-canary-end = Let the model before answer everybody again.
models-own-help = Models that answer one person or one group in place of the common one.
models-own-retire = Number of a model that is to answer nobody any more; the next export deletes its files.
models-watch-help = Compare people's ratings of the new model with those of the previous model.
models-watch-roll-back = If the new model is worse, take it back.

keys-help =
    Keys for callers of the API. `glas keys new NAME` makes a key, `glas keys` shows whose keys there are.

    The key itself is shown once and stored nowhere: the setting GLAS_API_KEYS holds only its hash. To revoke a key, remove
    its entry there and restart the server. The name of the key stands in the log of each request.
keys-new-help = Make a key, and print it with the new entry for GLAS_API_KEYS.
keys-new-name = Whose key: Latin letters, digits, dot, hyphen.
keys-new-admin = May load, unload and change models.

doctor-help =
    Check the installation: model, data directory, database, object store, services, Telegram; and say what to mend.

    Nothing is changed. The exit code is 1 if Glas cannot work like this.

doctor-parts-argument = The parts to check; without arguments, the parts that the settings describe.
doctor-deep-option = Check more: rights and clock of the database, a write to the object store, versions of services, the webhook, files of models, disks
doctor-json-option = Print JSON

export-help =
    Export messages for training: only of people who agreed, and never forwarded ones.

    Examples:

        glas export           what has changed since the last time
        glas export --full    compare everything, with the files on disk too

    The directory downloads: subdirectories by rating, manifest.jsonl (the worst first) and a dataset for `datasets`. More:
    docs/export.md. The next export completes an interrupted export. A running `glas run` exports by itself
    every 3 hours (GLAS_DATA_LOADER__EXPORT_HOURS); this command asks it to export now.
export-full = Compare everything, not only what has changed.

migrate-help =
    Update the tables of the database to the version of the program. A second run changes nothing.

    For example:

        GLAS_DATABASE_URL=postgresql://user:password@server/database glas migrate

    The embedded database (a SQLite file) is updated by itself when db_assist starts; others only by this command.
    The system need not be stopped: requests wait during the update.
ledger-help = Check that everybody's balance is the sum of their transactions. The exit code is 1 if not.

backup-help =
    Save all data of Glas in one file. The server may be running.

    For example:

        glas backup glas-2026-11-22.tar
        glas backup glas.tar --force      replace the copy that is there
        glas backup glas.tar.age --recipient age1…      encrypt; only the owner of the secret key opens it

    It contains: databases, recordings and texts, checksums. Not models and the directory downloads: models are downloaded,
    and `glas export --full` repeats the export. The file holds people's voices and words: keep it as safe as the system.
    If GLAS_DATABASE_URL (the owner's) and GLAS_S3_ENDPOINT are set, those are saved; it needs pg_dump, not older than the server.
restore-help =
    Restore the data from a file that `glas backup` made. Glas must be stopped: the server and all separate parts.

    Examples:

        glas restore glas-2026-11-22.tar
        glas restore glas-2026-11-22.tar --force      replace what is there already
        glas restore glas.tar.age --identity key.txt      from an encrypted backup

    First everything is unpacked in the data directory and compared with the checksums; a damaged file changes nothing.
    The data of people who asked for deletion after this backup does not come back: the list comes from the present data
    and the file glas-…-deletions.jsonl beside the backups.
backup-file = Backup, tar.
backup-force = Replace what is there already.
backup-recipient = Encrypt the backup (age) for this public key: age1…, ssh-ed25519 … or ssh-rsa …. May be repeated.
restore-identity = File with a secret key for which the backup is encrypted: from age-keygen, or an SSH key without a passphrase.

train-help =
    Train a model; it needs the packages for training (`make train-setup`) and the weights (`glas models get whisper-base`).

    For example:

        glas train whisper-base       the embedded model, the whole way: texts, speech, training, weights, card
train-base-help =
    Make the embedded model from whisper-base: texts → speech → targets of the teacher → adapter → weights → card.

    Examples:

        glas train whisper-base --smoke --to /tmp/model     the whole way in small, in a few minutes
        glas train whisper-base --rhvoice D --texts D --festvox D     how the one in models/ was made

    D stands for directories. The same command resumes what was interrupted. Without --rhvoice, espeak-ng speaks.
    Each step can be run alone.
train-data = Directory for all that training makes.
train-to = Directory of the model.
train-weights = Directory of the original weights; if empty, the one to which `glas models get` downloads them.
train-festvox = Unpacked Debian package festvox-ru: the reader on whom the model is tested.
train-texts = Directory of Russian texts: unpacked Debian packages (fortunes-ru, …).
train-rhvoice = Unpacked Debian packages librhvoice5, librhvoice-core7, rhvoice-russian: voices of people.
train-recordings = Directories of recordings with metadata.jsonl (file_name, text); they are only tested on.
train-smoke = All steps with little data: a check of the program, not a model.
train-picture = SVG file: plot of the confidence against the share of right words.
train-adapter-help = Synthesise the training sentences, compute the targets with the original Whisper, train the adapter; it can be interrupted and resumed.
train-weights-help = Add the adapter to the original weights, keep the Russian vocabulary, write them in int8.
train-language-model-help = Count words for the language model; what resembles the test phrases is not read.
train-calibrate-help = Calibrate the confidence of words (after weights and language-model, before card).
train-card-help = Measure the model and write its card.

finetune-help =
    Fine-tune a model on corrected recordings.

    Examples:

        glas finetune data/models/second --data downloads              on what `glas export` has written
        glas finetune data/models/ivan --data ivan --keep reader       and do not become worse on the reader

    Recordings: a directory with metadata.jsonl or manifest.jsonl (see `glas evaluate`). The model does not learn from a
    part of them: they decide how much of the change is kept. The same command continues what was interrupted. It needs
    the packages for training (`make train-setup`) and the official weights (`glas models get whisper-base`).

    The new model does not serve yet: `glas promote` tests and releases it.
finetune-to = Directory of the new model.
finetune-data = Recordings with their right words: a directory or a manifest.
finetune-replay = Other recordings with their right words, so that the model forgets less.
finetune-keep = Recordings on which the new model must not become worse: at least 40 sentences (500 words).
finetune-recipe = A recipe: settings of the training in TOML, such as recipes/whisper-small-ru.toml. Other options take precedence.
finetune-base = The model to start from: a name from `glas models`, `auto` for the one that serves, or a directory. Without it, the model of the recipe, or the embedded one.
finetune-weights = Its official weights; without it, those that `glas models get whisper-base` downloads.
finetune-work = Directory for intermediate files; without it, beside the model.
finetune-epochs = How often the model learns from each recording; without it, as the recipe says, or 6.
finetune-share = Which share of the change to try; can be given several times. Without it, as the recipe says.
finetune-personal = The recordings are those of one person, and the model answers only this person. All words of this person are
    added to the list of words, not only those that at least two people said.
finetune-threads = How many cores to use; without it, as the recipe says, or 1.

learn-help =
    Learn from corrections: export, make a dataset, fine-tune, test, release.

    Examples:

        glas learn --guard reader                one round; a model that passes waits for a decision
        glas learn --guard reader --release      and serves at once
        glas learn --release --every 24          every day

    If there are fewer new corrected minutes than --least-minutes, nothing is done. A round that was interrupted continues
    where it stopped; a finished round is not repeated. How it works: docs/learning.md.
learn-test = Recordings of a directory to test on; without it, those whom the export keeps for the test.
learn-guard = Recordings that must not become worse: the test uses them.
learn-keep = The same for the choice of the share: other recordings, at least 40 sentences (500 words).
learn-speaker = A pseudonym: a model for one person, which with --release answers this person only.
learn-least-minutes = How many new corrected minutes are needed.
learn-release = Release the model if it passes the test.
learn-canary = Share (0..1) of people whom a model that waits for a decision answers meanwhile.
learn-shadow = Share (0..1) of messages that a model that waits for a decision recognises a second time.
learn-every = Repeat after so many hours.

promote-help =
    Test a new model and release it if it is better.

    Examples:

        glas promote whisper:data/models/second --data test --guard reader     test and release
        glas promote whisper:data/models/second --data test --dry-run          only test
        glas promote whisper:data/models/own-7 --data test --person 123456     and give it to one person

    Both models, the present one and the new one, recognise the same recordings as the server does. The new one passes
    only if all conditions hold: at least 5% fewer errors on the test recordings and not by chance (the bootstrap
    interval is above zero), at most 0.3 points worse on each --guard set, no more texts for sounds without speech, not
    slower, no part of the recordings more than a point worse, and no recording of the test was used in training.

    A server with `GLAS_MODEL=auto` begins to use it within two seconds, and no request fails.
    To take it back: `glas models use THE_FORMER`.
promote-candidate = A name from `glas models`, or `whisper:DIRECTORY`.
promote-data = Test recordings with their right words.
promote-guard = Recordings that must not become worse.
promote-personal = The model is for the people from whom it learnt: only the texts of the test must be new.
promote-person = The model is for one person: their id in Telegram. Only the texts of the test must be new, as with --personal.
promote-chat = The same for a group: its id in Telegram, a negative number.
promote-dry-run = Test, and change nothing.
promote-force = Release it even if it fails; the reason is kept in the journal.

dataset-help =
    Datasets for training: which recordings of the export are learnt, and which are tested with.

    Examples:

        glas export                              first bring the export up to date
        glas dataset make                        make a version
        glas dataset show                        which versions there are
        glas dataset show NAME                   its minutes, speakers, ranks, and what has left since
        glas dataset show --speaker PSEUDONYM    which versions hold this speaker

    A version is a file without texts and sound: it has the numbers of recordings and checksums. Its name is a hash of
    its content. Recordings of people who deleted their data or withdrew the consent disappear from old versions, too.
    More: docs/datasets.md.
dataset-make-help = Make a version from the export; GLAS_DATA_LOADER__TEST_SHARE sets the share of test speakers.
dataset-show-help = Show the versions; with a name, what is in it and what has left the export since.
dataset-export = Directory of the export; without it, the one that glas writes to.
dataset-folder = Directory of the versions; without it, datasets in GLAS_DATA_DIR.
dataset-replay = More recordings with their right words, only to learn from; can be given several times.
dataset-non-speech = A directory of sounds without speech, for which the model learns to write nothing; can be given several times.
dataset-dev-share = Share of the speakers with whom training is watched.
dataset-min-confidence = Confidence from which a text rated ✅ is learnt without a correction.
dataset-speaker = A pseudonym: a dataset for one person.
dataset-whose = A pseudonym: show the versions that contain it.
dataset-name = The version.
