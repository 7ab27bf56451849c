"""Training: the adapter of the embedded Whisper, fine-tuning on corrections, datasets, and rounds of learning.

Recognition does not need this package. This package needs dependencies that no other package uses, such as torch and
espeak-ng.
"""
