"""The language model, and the sentences that are excluded from all training."""
