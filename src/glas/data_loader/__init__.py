"""data_loader: the only part that uses the object store; it also exports messages for training."""
