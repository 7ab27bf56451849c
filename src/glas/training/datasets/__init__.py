"""Versions of the dataset, which list the recordings of an export in the training, development and test set.

A version lists recordings, and contains neither their texts nor their sound. So if a person withdraws the consent or
deletes their data, their recordings leave the export and thereby all versions.
"""

from glas.training.datasets.reading import Dataset, Example, open_dataset
from glas.training.datasets.version import Version, read_version

__all__ = ["Dataset", "Example", "Version", "open_dataset", "read_version"]
