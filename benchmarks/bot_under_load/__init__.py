"""Parts of `benchmarks/bot_load.py`: people who send recordings, the answers that they get, and pictures."""
