"""The object store: the same class stores objects in a local directory or in an S3 bucket."""

from glas.s3.opening import open_store
from glas.s3.store import PART_BYTES, Data, Store, Stored

__all__ = ["PART_BYTES", "Data", "Store", "Stored", "open_store"]
