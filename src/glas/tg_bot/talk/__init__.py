"""What the bot says and shows: phrases in two languages, buttons that are signed, texts of any length."""
