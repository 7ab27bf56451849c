"""data_loader: the only door to the object store, and the export of consented messages for training."""
