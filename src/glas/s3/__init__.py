"""The object store: a local directory or an S3 bucket, behind one class."""

from glas.s3.opening import open_store
from glas.s3.store import PART_BYTES, Data, Store, Stored

__all__ = ["PART_BYTES", "Data", "Store", "Stored", "open_store"]
