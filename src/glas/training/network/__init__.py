"""The network: its batches, its training, what it aligns and composes, its export."""
