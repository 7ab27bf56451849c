"""What `benchmarks/scaling.py` is made of: traffic of a day, a formula for waiting times, and a simulation of it."""
