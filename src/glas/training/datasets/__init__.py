"""Make and read versions of the dataset: lists of recordings of an export, divided into the sets train, dev and test.

A version contains neither the texts nor the sound of the recordings: both are read from the export. When a person
withdraws their consent or deletes their data, their recordings are removed from the export. Then these recordings can
no longer be read, even if an older version lists them.
"""

from glas.training.datasets.reading import Dataset, Example, open_dataset
from glas.training.datasets.version import Version, read_version

__all__ = ["Dataset", "Example", "Version", "open_dataset", "read_version"]
