"""The language model, and the sentences that are held out of all training."""
