"""Make and read versions of the dataset: lists of recordings of an export, divided into the sets train, dev and test.

A version contains neither the texts nor the sound of the recordings; these are read from the export. When a person
withdraws the consent or deletes their data, their recordings are removed from the export. So these recordings can no
longer be read, whichever version lists them.
"""

from glas.training.datasets.reading import Dataset, Example, open_dataset
from glas.training.datasets.version import Version, read_version

__all__ = ["Dataset", "Example", "Version", "open_dataset", "read_version"]
