"""Voices for training and tests: synthetic voices, and the recordings of one man."""
