"""Train models: the adapters of the embedded model, fine-tuning on corrections, dataset versions, rounds of learning.

Recognition does not need this package. This package needs dependencies that no other package uses, such as torch and
espeak-ng.
"""
