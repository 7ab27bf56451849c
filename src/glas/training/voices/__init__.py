"""Voices for training and tests: synthesisers, and a real reader."""
