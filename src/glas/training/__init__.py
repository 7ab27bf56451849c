"""Train models: the adapter of the embedded Whisper, fine-tuning on corrections, dataset versions, rounds of training.

Recognition does not need this package. This package needs dependencies that no other package uses, such as torch and
espeak-ng.
"""
