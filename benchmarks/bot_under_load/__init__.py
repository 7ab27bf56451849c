"""What `benchmarks/bot_load.py` is made of: people who speak, what they see and when, and pictures of it."""
