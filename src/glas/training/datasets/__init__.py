"""Versions of the dataset: which recordings of an export are learnt from, chosen with and measured with.

A version names recordings and holds neither their texts nor their sound. So whoever withdraws the consent, or is
forgotten, leaves the export and with it every version that was ever made.
"""

from glas.training.datasets.reading import Dataset, Example, open_dataset
from glas.training.datasets.version import Version, read_version

__all__ = ["Dataset", "Example", "Version", "open_dataset", "read_version"]
