# Everything the bot says in English. A plain subset of Fluent: messages, {$variables}, indented continuation lines.

start =
    Hello! I am Glas: I turn Russian voice messages into text.

    Send a voice message, a video note, audio or video, and I answer with text. Rate the answer with ❌ 👌 ✅ and earn coins.

    What happens with recordings: sound and text are kept so that you can come back to them, and deleted with /forget. /mydata gives you everything we hold. More: /privacy.

    I learn from your messages only if you allow it separately with the button below. Everything works the same without it.
start-again = Welcome back! Send a voice message and I answer with text. All commands: /help
help =
    Send a voice message, a video note, audio, video or a file with sound, and I answer with text. Forwarded ones are fine too.

    Rate the text: ❌ meaning lost, 👌 small errors, ✅ perfect. A rating earns 0.08 coins a second, half as much again between 20 and 30 seconds. 960 coins make you a beta tester.

    To correct a text, press ✏️ below it and send the right words. Changed your mind? ↩️

    /balance — coins and role
    /settings — language, consent, chat settings
    /language — language
    /privacy — what is kept and why
    /mydata — everything we hold about you
    /forget — delete everything
    /transcribe — in a group: in reply to a recording
help-model = Transcribing now: {$model}
balance =
    Balance: {$coins}
    Role: {$role}
balance-left = {$coins} to go to beta tester.
role-0 = user
role-1 = beta tester
role-2 = unlimited
role-3 = administrator
not-registered = Press /start first.
private-first = This is private: open a chat with me and press Start.
button-private = 💬 Open the chat
answered-privately = I have answered in our private chat.
group-greeting =
    Hello! I am Glas: I turn the Russian voice messages of this chat into text.

    Administrators choose in /settings whether I answer every recording or only /transcribe in reply to one.
group-privacy-mode =
    ⚠️ Telegram does not show me the voice messages of this chat now. Make me an administrator (no rights are needed), or let the bot's owner turn privacy mode off at @BotFather (/setprivacy) and add me again. Until then reply to a voice message with /transcribe.
press-start = Press /start to rate answers and earn coins.
not-allowed = This bot answers only those whom its owner knows. Your number: {$id}.
placeholder = …
queued = ⏳ In the queue, place {$place}
recognising = 🎧 Listening…
downloading = ⏳ Downloading…
recognising-percent = 🎧 Listening: {$percent} %
recognising-time = 🎧 Listening, {$time} done
waiting = ⏳ The recognition service does not answer now. The text will come as soon as it is back.
no-speech = No speech heard.
foreign = 🌐 This does not seem to be Russian ({$language}). The model knows Russian alone, so the text is hardly right. Whisper base knows other languages: the bot's owner can switch to it with /model.
unsure = 🤔 Not sure that I heard this right: please check the text.
long-text = 📄 The text is long, it is in the file. It begins: {$start}
subtitles-name = Subtitles.srt
file-name = Transcript.txt
too-long = The recording is longer than {$minutes} minutes, too long for one go. Please split it.
file-too-big = The file is larger than {$limit} MB: Telegram does not let bots download such. Compress it (Ogg/Opus, say) or split it.
download-failed = The recording could not be downloaded from Telegram.
too-many = Too fast: more than {$limit} recordings a minute. This one waits for the button.
daily-limit = Your {$minutes} minutes for today are used up. Try later: the last 24 hours count.
subtitles-tomorrow = For subtitles this recording must be recognised again, and the minutes for today are used up. Try later.
failed = ⚠️ {$reason}
button-retry = 🔁 Try again
button-fix = ✏️ Correct
button-srt = 📄 SRT
button-confirm = ▶️ Transcribe
confirm = Transcribe this recording?
rated-paid = Thank you! {$coins} earned. Balance: {$balance}
rated = Thank you! Balance: {$balance}
rated-again = Rating changed. Balance: {$balance}
unpaid-forwarded = Thank you! Forwarded recordings earn no coins.
unpaid-no_speech = Thank you! There is no speech, so no coins.
unpaid-same_audio = Thank you! This recording has earned its coins already.
unpaid-daily_cap = Thank you! No more coins today: the daily limit is reached.
unpaid-unchanged = Thank you! The text is the same as before, so no coins.
unpaid-doubtful = Thank you! This does not look like the recording, so no coins.
unpaid-nothing_earned = Thank you!
beta-tester = 🎉 Congratulations: you have {$coins} and are a beta tester now!
rate-foreign = Only the speaker can rate the text.
rate-stale = This button has expired.
rate-forged = This button has expired or is not mine.
press-foreign = This button is not for you: only the person whom I answered can press it.
fix-how = To correct the text, press ✏️ below it.
fix-ask = Send the right words in reply to this message. Those that stand now (tap to copy):
fix-ask-file = The text is long: correct it in this file, and send the file in reply to this message.
fix-placeholder = The right words
fix-question = Correct the text like this?
fix-doubtful = This does not look like the recording. Replace the text all the same?
fix-no-words = There are no words here. Send the right ones as a message or a .txt file.
fix-wait = The text is not ready yet. Wait for it and reply again.
fix-left = All right, the text stays as it was.
fix-taken-back = ↩️ The correction is undone, the text is as before.
fix-changed-since = The text was corrected again since: only the last correction can be undone.
button-insist = ✏️ Yes, correct it
button-leave = No
button-take-back = ↩️ Undo the correction
fixed = Thank you, corrected:
fixed-paid = {$coins} earned. Balance: {$balance}
fix-same = Nothing has changed here.
language = Choose a language.
language-set = All right, English it is.
privacy =
    What is kept: your Telegram number, the recordings that you send, their texts with the times of words, ratings, corrections and coins.

    What for: to answer you and to show your balance. For training, only with your separate permission (/settings); forwarded recordings of others are never trained on.

    In groups and channels, recordings of those who never pressed /start are transcribed and not kept.

    For the daily limit, minutes are counted for everybody, under a pseudonym; the count is deleted after a day. So that the same sound is not paid twice, its checksum is kept for 90 days after /forget; it reveals neither voice nor name.

    Voices are not used to identify people. /mydata gives you everything, /forget deletes everything.
consent-ask = May we learn from your voice messages? You can withdraw at any time.
consent-yes = ✅ I allow it
consent-no = 🚫 I do not
consent-given = Thank you! Noted. Withdraw: /settings
consent-withdrawn = All right: nobody learns from your messages.
settings =
    Language: {$language}
    Learning from my messages: {$consent}
settings-on = allowed
settings-off = not allowed
chat-settings = Voice messages in this chat: {$mode}
chat-auto = transcribed by themselves
chat-asked = on /transcribe in reply
button-chat-auto = Transcribe all
button-chat-asked = On command only
chat-admins-only = Only admins of the chat can change this.
transcribe-how = Reply to a voice message with this command.
forget-ask = Delete everything: recordings, texts, corrections, consents, balance? It cannot be undone.
forget-yes = 🗑 Yes, delete everything
forget-no = No
forgotten = Everything is deleted: {$count} recordings. To come back: /start.
forget-kept = All right, everything stays.
mydata-caption = Everything we hold about you: recordings, texts, and data in data.json.
mydata-part = Part {$number}, more to follow.
mydata-last-part = Part {$number}, the last one: now you have everything that we hold. Files with numbers at the end (.001, .002) are one large recording: join them in order.
text-hint = Send a voice message and I turn it into text. All commands: /help
admin-only = Only administrators of the bot can do this.
grant-how = /grant <number> <coins> <what for> — a negative number takes back.
granted = Done. Balance of {$id}: {$balance}
person-unknown = I do not know anybody with the ID {$id}: they never pressed /start.
ban-admin = An administrator of the bot cannot be banned.
help-admin =
    For the bot's administrators:
    /stats — figures
    /model — which model transcribes
    /grant <ID> <coins> <what for> — give coins or take them back
    /ban <ID>, /unban <ID> — stop serving a person, or serve them again
    /repair — find and restore lost recordings
ban-how = /ban <number>, back: /unban <number>
banned = {$id} is no longer served.
unbanned = {$id} is served again.
stats =
    People: {$users}, active today: {$active}
    Recordings: {$done} transcribed, {$failed} failed, {$pending} at work
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
model-fetching = ⏳ {$title}: {$percent} % downloaded
model-loading = ⏳ {$title}: loading into memory…
model-serves = ✅ Transcribing now: {$title}
model-until-restart = Until a restart: GLAS_MODEL names another model.
model-stopped = {$title}: the download was stopped; the next one goes on from there.
model-busy = Another model is being downloaded. Wait for it and try again: /model
model-failed =
    ⚠️ {$reason} The model before goes on; to try again: /model

    {$cause}
repair-begun = Looking for lost recordings; I will write when it is done.
repair-done = Recordings seen: {$seen}. Lost: {$lost}, restored: {$repaired}, gone for good: {$gone}.
reason-telegram = Telegram does not answer now.
command-start = begin
command-help = what I can do
command-balance = coins and role
command-settings = settings
command-language = language
command-privacy = what is kept and why
command-mydata = get my data
command-forget = delete everything about me
command-transcribe = transcribe the recording that this replies to
