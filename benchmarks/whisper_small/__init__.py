"""What `benchmarks/whisper.py` measures with and against."""
