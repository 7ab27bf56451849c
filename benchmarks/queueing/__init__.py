"""Parts of `benchmarks/scaling.py`: traffic of a day, a formula for waiting times, and a simulation of them."""
