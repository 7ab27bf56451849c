"""Run data_loader: the only part that uses the object store. It also exports messages for training."""
