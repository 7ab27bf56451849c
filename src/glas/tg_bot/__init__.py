"""tg_bot: talks to Telegram. Updates are stored before they are confirmed; work on them outlives the process."""
