# Signing in to the page

web-link =
    Sign in to the page:
    {$url}

    The link works for { $minutes ->
        [one] {$minutes} minute
       *[other] {$minutes} minutes
    } and only once. It is yours: whoever opens it signs in as you, so do not forward it to anybody.
help-web = /web — sign in to the page in a browser
command-web = open the page in a browser
sign-in-title = Sign in
sign-in-impossible = This server has no database of people, so there is nothing to sign in to. You can transcribe recordings without it.
sign-in-confirm = You have opened a link from the bot. Press the button to sign in with this browser.
sign-in-button = Sign in
sign-in-not-yours = Did somebody else send you this link? Close this page: nothing happens unless you press the button.
sign-in-step-bot = Open the bot in Telegram and send it
sign-in-step-link =
    Open the link it sends you. It works for { $minutes ->
        [one] {$minutes} minute
       *[other] {$minutes} minutes
    }.
sign-in-step-button = Press “Sign in”.
sign-in-why = There is no password: Telegram knows who you are.
sign-in-stale = This link has been used or is too old. Get a new one: send /web to the bot.
sign-in-too-often = Too many failed attempts. Wait a minute.

# The frame of the pages

page-brand = Glas
page-skip = Skip to content
page-navigation = Pages
page-to-studio = Transcribe without signing in
page-sign-out = Sign out
page-home = Overview
page-home-about = Where to start
page-studio = Transcribe a recording
page-studio-about = Your voice or a file becomes text, right in the browser
home-greeting = Welcome!
home-standing = {$coins} · {$role}
home-language = Language of the pages and the bot
failure-title = That did not work
failure-back = Back

# Review of recordings

page-review = Review
page-review-about = Listen to recordings and check their texts
review-item = Recording
review-play = Play or pause
review-speed = Speed
review-slower = Slower
review-faster = Faster
review-loop = Loop
review-auto = Play automatically
review-field = Everything that is said
review-send = Send
review-leave = Back to the recording
review-undo = Undo
review-loading = Loading…
review-page-empty = Everything has been reviewed. New recordings will appear here by themselves.
review-no-sound = The sound of this recording did not load. Reload the page or skip the recording.
review-not-sent = The answer did not reach the server. The recording is back: please answer again.
review-no-answer = The server is not answering. I will ask it again in some seconds.
review-lost = Somebody else has reviewed this recording, or it was deleted.
review-kept = Noted.
review-earned = An independent review agrees: {$coins}!
review-unchanged = The text is unchanged: if it is right, press 1.
review-second = Another model heard:
review-corrected = corrected
review-taken-back = The answer is undone.
review-nothing-to-take-back = There is nothing to undo.
review-not-taken-back = This answer can no longer be undone: five minutes have passed, or somebody else has judged the recording too.
review-today =
    Today: { $count ->
        [one] {$count} recording
       *[other] {$count} recordings
    }
review-agreement = Agreed with others: {$agreed} of {$compared}
review-agreement-none = Not compared with others yet
review-rules = Write the words as they are said, with repetitions and slips. Case, punctuation and the writing of numbers do not matter. The voices are other people's: do not pass on what you hear.
verdict-accept = Right
verdict-about-accept = word for word
verdict-correct = Correct
verdict-about-correct = something is wrong
verdict-bad_audio = Unclear
verdict-about-bad_audio = words cannot be made out
verdict-not_speech = No speech
verdict-about-not_speech = noise, music, silence
verdict-other_voice = Another voice
verdict-about-other_voice = a film, the radio, not the sender
verdict-skip = Skip
verdict-about-skip = I cannot tell
key-space = Space
review-key-play = play
review-key-seek = 2 seconds
review-key-speed = speed
review-key-again = from the start
review-key-loop = loop a word or the selection
review-key-play-editing = play while you write
