"""Training: the adapter of the embedded Whisper, fine-tuning on corrections, datasets, and rounds of learning.

Nothing here is needed to recognise speech. The package needs the extra dependencies of training (torch, espeak-ng).
"""
