"""Who says it: synthesisers, and the real readers of two corpora."""
