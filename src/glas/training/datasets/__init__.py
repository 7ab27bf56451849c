"""Versions of the dataset: which recordings of an export are in the training, development and test set.

A version lists recordings, and contains neither their texts nor their sound. So a person who withdraws the consent, or
asks to be forgotten, is removed from the export and thereby from all versions.
"""

from glas.training.datasets.reading import Dataset, Example, open_dataset
from glas.training.datasets.version import Version, read_version

__all__ = ["Dataset", "Example", "Version", "open_dataset", "read_version"]
