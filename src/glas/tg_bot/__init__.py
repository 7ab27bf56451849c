"""tg_bot: the Telegram bot. It stores each update before it confirms it, so work on it continues after a crash."""
