"""What `benchmarks/load.py` is made of: a server, its callers, what they send, and a picture."""
