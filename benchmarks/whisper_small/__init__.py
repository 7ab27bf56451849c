"""The checkpoint and the peers of `benchmarks/whisper.py`."""
