"""Adapters for Whisper: the network in torch, low-rank layers, the teacher's targets and the training loop."""
