"""Training: the adapter of the embedded Whisper, fine-tuning on corrections, datasets, and rounds of learning.

Recognition does not need this package. The package needs the extra dependencies of training (torch, espeak-ng).
"""
