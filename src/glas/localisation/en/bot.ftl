# Everything the bot says.

start =
    Hello! I am Glas: I turn Russian voice messages into text.

    Send a voice message, a video note, audio or video, and I will answer with its text. Rate the answer with ❌ 👌 ✅ and earn coins.

    What happens with recordings: sound and text are kept so that you can come back to them, and deleted with /forget. /mydata gives you everything we hold. More: /privacy.

    I learn from your messages only if you allow it separately with the button below. Reviewers then listen to some of them to correct the texts; they are not told whose voice it is. Everything works the same without it.
start-again = Welcome back! Send a voice message and I will answer with its text. All commands: /help
help =
    Send a voice message, a video note, audio, video or a file with sound, and I will answer with its text. Forwarded ones are fine too.

    Rate the text: ❌ meaning lost, 👌 small errors, ✅ perfect. A rating earns 0.08 coins a second, half as much again between 20 and 30 seconds. 960 coins make you a beta tester.

    To correct a text, press ✏️ below it and send the right words. Changed your mind? ↩️

    /balance — coins and role
    /settings — language, consent, chat settings
    /language — language
    /privacy — what is kept and why
    /mydata — everything we hold about you
    /forget — delete everything
    /transcribe — in a group, in reply to a recording
help-model = Model: {$model}
balance =
    Balance: {$coins}
    Role: {$role}
balance-left = {$coins} more, and you are a beta tester.
role-0 = user
role-1 = beta tester
role-2 = unlimited
role-3 = administrator
not-registered = Press /start first.
private-first = This is private: open a chat with me and send /start there.
button-private = 💬 Open the chat
answered-privately = I have answered in our private chat.
group-greeting =
    Hello! I am Glas: I turn the Russian voice messages of this chat into text.

    Administrators choose in /settings whether I answer every recording or only /transcribe in reply to one.
group-privacy-mode =
    ⚠️ Telegram does not show me the voice messages of this chat yet. Make me an administrator (no rights are needed), or ask the bot's owner to turn privacy mode off at @BotFather (/setprivacy) and to add me again. Until then, reply to a voice message with /transcribe.
press-start = Press /start to rate answers and earn coins.
not-allowed = This bot answers only people its owner knows. To get access, give the owner your Telegram ID: {$id}.
placeholder = …
acknowledged =
    { $waiting ->
        [one] ⏳ Got it. There is {$waiting} recording in the queue; the text will appear here.
       *[other] ⏳ Got it. There are {$waiting} recordings in the queue; the text will appear here.
    }
queued = ⏳ In the queue, place {$place}
recognising = 🎧 Listening…
waiting = ⏳ The recognition service is not answering at the moment. The text will come as soon as it works again.
no-speech = No speech heard.
foreign = 🌐 This does not seem to be Russian ({$language}). The model knows only Russian, so the text is probably wrong. Whisper base knows other languages; the bot's owner can switch to it with /model.
unsure = 🤔 I am not sure I heard this right: please check the text.
long-text = 📄 The text is long, so it is in the file. It begins: {$start}
subtitles-name = Subtitles.srt
file-name = Transcript.txt
file-too-big = The file is larger than {$limit} MB, which is the limit for the bot. Compress it (to Ogg/Opus, for example) or split it into parts.
too-many =
    { $limit ->
        [one] Too fast: more than {$limit} recording a minute.
       *[other] Too fast: more than {$limit} recordings a minute.
    } To transcribe this one, press the button a little later.
daily-limit =
    { $minutes ->
        [one] With this recording you would have sent more than {$minutes} minute of sound in a day, which is the limit.
       *[other] With this recording you would have sent more than {$minutes} minutes of sound in a day, which is the limit.
    } Try again later: the last 24 hours count.
failed = ⚠️ {$reason}
button-retry = 🔁 Try again
button-fix = ✏️ Correct
button-srt = 📄 SRT
button-confirm = ▶️ Transcribe
confirm = Transcribe this recording?
rated-paid = Thank you! {$coins} earned. Balance: {$balance}
rated = Thank you! Balance: {$balance}
rated-again = Your rating is noted. Balance: {$balance}
unpaid-forwarded = Thank you! Forwarded recordings earn no coins.
unpaid-no_speech = Thank you! There is no speech, so no coins.
unpaid-same_audio = Thank you! This recording has already earned its coins.
unpaid-daily_cap = Thank you! The daily limit is reached: new coins come tomorrow.
unpaid-unchanged = Thank you! The text is the same as before, so no coins.
unpaid-doubtful = Thank you! This does not look like the recording, so no coins.
unpaid-nothing_earned = Thank you!
beta-tester = 🎉 Congratulations: you have {$coins} and are a beta tester now!
rate-foreign = Only the person who sent the recording can rate its text.
rate-stale = This button no longer works.
rate-forged = This button no longer works, or it belongs to another bot.
press-foreign = This button is not for you: only the person I answered can press it.
fix-how = To correct the text, press ✏️ below it.
fix-ask = Send the right text in reply to this message. The text now (tap to copy):
fix-ask-file = The text is long: correct it in this file, and send the file in reply to this message.
fix-placeholder = The right words
fix-question = Correct the text like this?
fix-doubtful = This does not look like the recording. Send exactly what was said — or replace the text anyway?
fix-no-words = There are no words here. Send the right ones as a message or a .txt file.
fix-wait = The text is not ready yet. Wait for it and reply again.
fix-left = All right, the text stays as it was.
fix-taken-back = ↩️ The correction is undone; the text is as it was.
fix-changed-since = The text has been corrected again since then, and only the last correction can be undone.
button-insist = ✏️ Yes, correct it
button-leave = No
button-take-back = ↩️ Undo the correction
fixed = Thank you, corrected:
fixed-paid = {$coins} earned. Balance: {$balance}
fix-same = The text is the same: there is nothing to correct.
language = Choose a language.
language-set = All right, English it is.
privacy =
    What is kept: your Telegram ID (not your phone number), the recordings that you send, their texts with the time of each word, ratings, corrections and coins.

    What for: to answer you and to show your balance. For training, only with your separate permission (/settings), and then reviewers may listen to them, too; forwarded recordings of others are never trained on.

    In groups and channels, recordings of those who never pressed /start are transcribed but not kept.

    For the daily limit, minutes are counted for everybody, under a pseudonym; the count is deleted after a day. So that the same sound is not paid for twice, its checksum is kept for 90 days after /forget; it reveals neither voice nor name.

    A model cannot forget what it has learnt from your recordings. So after /forget, or if you withdraw the permission, administrators see how many people have deleted their data or withdrawn the permission (not who they are), and can stop using such a model.

    I do not identify people by their voices. /mydata gives you everything, /forget deletes everything.
consent-ask =
    May we learn from your voice messages? Reviewers listen to some of them to correct the texts; they are not told whose voice it is. You can withdraw at any time.

    Voices are not used to identify people.
consent-commands = /mydata gives you everything, /forget deletes everything.
consent-stands = You have allowed me to learn from your voice messages; reviewers listen to some of them. You can withdraw at any time.
consent-yes = ✅ I allow it
consent-no = 🚫 Withdraw permission
consent-given = Thank you, noted. To withdraw: /settings
consent-withdrawn = All right, your permission is withdrawn: I no longer learn from your messages.
settings =
    Language: {$language}
    Learning from your messages: {$consent}
settings-on = allowed
settings-off = not allowed
settings-own-model-on = Model: yours; it has learnt from your corrections
settings-own-model-off = Model: the common one; yours is switched off
settings-own-model-waits = Model: the common one. It was updated, and yours has not been compared with it yet
chat-settings = Voice messages in this chat: {$mode}
chat-auto = all are transcribed
chat-asked = only those you reply to with /transcribe
button-chat-auto = Transcribe all
button-chat-asked = On command only
chat-own-model-on = Model: this chat's; it has learnt from corrections made here
chat-own-model-off = Model: the common one; the chat's is switched off
chat-own-model-waits = Model: the common one. It was updated, and the chat's has not been compared with it yet
button-own-model-on = Switch my model on
button-own-model-off = Switch my model off
button-chat-model-on = Switch the chat's model on
button-chat-model-off = Switch the chat's model off
own-model-chosen = All right, your own model transcribes from now on.
chat-model-chosen = All right, the chat's model transcribes from now on.
common-model-chosen = All right, the common model transcribes from now on.
own-model-gone = That model no longer exists; the common model transcribes.
chat-admins-only = Only the chat's administrators can change this.
transcribe-how = Reply to a voice message with this command.
forget-ask = Delete everything: recordings, texts, corrections, vocabulary, consents, coins, and your own model if you have one? This cannot be undone.
forget-yes = 🗑 Yes, delete everything
forget-no = No
forgotten =
    Everything is deleted: { $count ->
        [one] {$count} recording
       *[other] {$count} recordings
    } and everything else. To come back: /start.
forget-kept = All right, everything stays.
mydata-caption = Everything we hold about you: recordings, texts, and data in data.json.
text-hint = Send a voice message and I will turn it into text. All commands: /help
admin-only = Only administrators of the bot can do this.
grant-how = /grant <ID> <coins> <what for> — a negative number takes coins back.
granted = Done. Balance of {$id}: {$balance}
person-unknown = The person with the ID {$id} has never pressed /start, so I do not know them.
ban-admin = An administrator of the bot cannot be banned.
help-admin =
    For the bot's administrators:
    /stats — figures
    /find — find a person by name
    /model — which model transcribes
    /grant <ID> <coins> <what for> — give coins or take them back
    /ban <ID>, /unban <ID> — stop serving a person, or serve them again
    /repair — find and restore lost recordings
button-find = 🔎 Choose a person
find-how = Press the button and choose a person by name. I store no names: Telegram tells me the ID only.
found = The ID of this person: {$id}
ban-how = To ban: /ban <ID>. To lift the ban: /unban <ID>.
banned = I no longer serve the person with the ID {$id}.
unbanned = I serve the person with the ID {$id} again.
stats =
    People: {$users}, active in 24 hours: {$active}
    Recordings: {$done} transcribed, {$failed} failed, {$pending} in progress
    Sound: {$minutes} min
    Ratings: ❌ {$bad}  👌 {$normal}  ✅ {$best}
    Corrections: {$corrections}
    Paid: {$paid}
    Model: {$model}
models =
    Transcribing now: {$model}

    Choose another model; the better ones come first. If it is not on disk, I download it; no restart is needed.
button-model-use = ▶️ {$title}
button-model-fetch = ⬇️ {$title}
button-model-fetch-size = ⬇️ {$title} · {$megabytes} MB
model-fetching = ⏳ {$title}: {$percent}% downloaded
model-loading = ⏳ {$title}: loading into memory…
model-serves = ✅ Transcribing now: {$title}
model-until-restart = Only until the next restart: GLAS_MODEL names another model.
model-stopped = {$title}: the download was stopped; next time it will go on from there.
model-busy = Another model is being downloaded. Wait for it and try again: /model
model-failed =
    ⚠️ {$reason} The previous model goes on serving; to try again: /model

    Details: {$cause}
repair-begun = Looking for lost recordings; I will write when I am done.
repair-done = Recordings seen: {$seen}. Lost: {$lost}, restored: {$repaired}, gone for good: {$gone}.
command-start = begin
command-help = what I can do
command-balance = coins and role
command-settings = settings
command-language = language
command-privacy = what is kept and why
command-mydata = get my data
command-forget = delete everything about me
command-transcribe = transcribe the recording that this replies to
coins =
    {$amount} { $amount ->
        [one] coin
       *[other] coins
    }

# Names of languages: the most spoken among those that Whisper takes Russian for, or that people mix with it.

language-ar = Arabic
language-az = Azerbaijani
language-be = Belarusian
language-bg = Bulgarian
language-cs = Czech
language-de = German
language-en = English
language-es = Spanish
language-fr = French
language-he = Hebrew
language-hi = Hindi
language-hy = Armenian
language-it = Italian
language-ja = Japanese
language-ka = Georgian
language-kk = Kazakh
language-ko = Korean
language-pl = Polish
language-pt = Portuguese
language-sr = Serbian
language-tg = Tajik
language-tr = Turkish
language-tt = Tatar
language-uk = Ukrainian
language-uz = Uzbek
language-zh = Chinese


# The vocabulary

words =
    📖 Your vocabulary: {$count}.

    These are names and terms that you corrected or added. I expect them in your next recordings. To remove a word, press it.
words-empty =
    📖 Your vocabulary is empty so far.

    Correct a name in a text, and I will remember it. Or add words yourself.
words-page = Page {$page} of {$pages}
button-words-add = ➕ Add
words-ask = Send the words in reply to this message: with commas between them, or each on a line of its own.
words-placeholder = Names and terms
words-added = Added: {$words}. Your vocabulary holds {$count} now: /words
words-none = There are no words here. Send names or terms: with commas between them, or each on a line of its own.
words-refused = Not added (neither a word nor a short name): {$words}
words-full = The vocabulary is full. Remove words you do not need: /words
word-removed = No longer in the vocabulary: {$word}
words-learned = Remembered: {$words}. Vocabulary: /words
help-words = /words — your vocabulary: names that I remember
privacy-words =
    Names and terms that you correct are kept in your vocabulary (/words) and help to transcribe your recordings. A name that several members of a group have corrected helps in that group too. A name that several people who allow training have corrected helps everybody. Only you see the vocabulary itself; /forget deletes it too.
command-words = my vocabulary


button-review-accept = ✅ Right
button-review-correct = ✏️ Correct
button-review-skip = ⏭ Skip
button-review-bad_audio = 🙉 Unclear
button-review-not_speech = 🔇 No speech
button-review-other_voice = 👥 Another voice
review-not-allowed = Only reviewers can check recordings. An administrator of the bot appoints them.
review-empty = Everything has been reviewed. For new recordings come back later: /review
review-gone = This recording no longer waits for a review: somebody else reviewed it, or it was deleted. The next one: /review
review-ask = Send everything that is said in the recording, in reply to this message. It was recognised as (tap to copy):
review-noted = Noted, thank you!
review-paid = An independent review says the same! Earned: {$coins}. Balance: {$balance}
review-implausible = There are no words here, or more than anybody can say in that time. Send the right text in reply to the same message.
help-reviewer =
    For reviewers:
    /review — listen to recordings and check their texts

    The text below a recording was written by a model. Listen to the end and choose:
    ✅ — every word is right
    ✏️ — something is wrong: send the whole right text
    🙉 — somebody speaks, but the words are unclear
    🔇 — nobody speaks: noise, music, silence
    👥 — the speaker is clearly not the sender: a film, the radio, somebody else's call
    ⏭ — I cannot tell

    Write the words as they are said, with repetitions and slips. Case, punctuation and the way of writing numbers do not matter.

    The voices are other people's. They allowed us to learn from their recordings and know that people listen; you will not be told who they are. Do not pass on what you hear.

    You earn coins when somebody else, without knowing your answer, hears the same. Only some recordings are compared; nobody knows in advance which.
help-admin-reviewers =
    /reviewer <ID>, /unreviewer <ID> — appoint a reviewer or end it
reviewer-how = /reviewer <ID>, to undo: /unreviewer <ID>
reviewer-set = {$id} reviews recordings now. The command for them: /review
reviewer-unset = {$id} no longer reviews recordings.

# Recordings while they are fetched and recognised

downloading = ⏳ Downloading…
recognising-percent = 🎧 Listening: {$percent}%
recognising-time = 🎧 Listening, {$time} done
subtitles-tomorrow = For subtitles this recording must be recognised again, and your minutes for today are used up. Try again later.
mydata-part = Part {$number}, more to follow.
mydata-last-part = Part {$number}, the last one: now you have everything that we hold. Files with numbers at the end (.001, .002) are one large recording: join them in order.

news = I transcribe better now: a new model has learnt from corrected messages, yours among them. Here is one.
own-news = Your voice messages are now recognised by a model that has learnt from your corrections. Here is one of your messages.
news-before = Before:
news-after = Now:
news-thanks = Thank you for helping!
button-news-no = 🔕 No more such news
button-news-yes = 🔔 Send me such news
news-refused = All right, I will not send these any more. To get them again: /settings
news-wanted = All right: when a new model learns something from your messages, I will show you.
settings-news = Show what I have learnt from your messages: {$news}
settings-news-on = yes
settings-news-off = no
candidate =
    🧠 A new model has passed the test.

    {$name} ({$version})
candidate-ask = Switch to it, or keep the present one?
candidate-rates = Word errors on the test recordings: {$before}% now, {$after}% with the new one
candidate-people =
    { $count ->
        [one] It learnt from the messages of {$count} person.
       *[other] It learnt from the messages of {$count} people.
    }
button-candidate-yes = ▶️ Switch to it
button-candidate-no = Keep the present one
candidate-decided = This has already been decided.
candidate-yes-begun = Loading it…
candidate-serves = ✅ It serves now. Decided by: {$who}
candidate-serves-until-restart = ✅ It serves until the next restart, because GLAS_MODEL names another model. Decided by: {$who}
candidate-left = The present model stays. Decided by: {$who}
candidate-failed = ⚠️ It could not be switched on, so the present model stays. {$reason} Who wanted it: {$who}
