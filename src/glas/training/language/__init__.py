"""The language model, and the sentences that nothing may learn."""
