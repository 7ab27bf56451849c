"""Parts of `benchmarks/load.py`: a server, its callers, their recordings, and a picture."""
