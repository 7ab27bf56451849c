"""Training: the adapter of the embedded Whisper, fine-tuning on corrections, datasets, and rounds of learning.

Recognition does not need this package. This package needs further dependencies, which only training uses (torch,
espeak-ng).
"""
