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
sign-in-confirm = You have opened a link of the bot. Press the button to sign in with this browser.
sign-in-button = Sign in
sign-in-not-yours = Is the link not yours? Close this page: nothing happens unless you press the button.
sign-in-step-bot = Open the bot in Telegram and send it
sign-in-step-link =
    Open the link that it sends. It works for { $minutes ->
        [one] {$minutes} minute
       *[other] {$minutes} minutes
    }.
sign-in-step-button = Press “Sign in”.
sign-in-why = There is no password: Telegram knows who you are.
sign-in-stale = This link has been used or is too old. Get another one: send /web to the bot.
sign-in-too-often = Too many attempts that failed. Wait a minute.

# The frame of the pages

page-brand = Glas
page-skip = To the content
page-navigation = Pages
page-to-studio = Transcribe a recording
page-sign-out = Sign out
page-home = Overview
page-home-about = Where to begin
page-studio = Transcribe a recording
page-studio-about = A voice or a file becomes text, in the browser
home-greeting = Welcome!
home-standing = {$coins} · {$role}
home-language = Language of the pages and the bot
failure-title = This did not work
failure-back = Back
