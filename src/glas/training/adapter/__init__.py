"""Train adapters for Whisper: the network in torch, low-rank layers, the targets of distillation, the training loop."""
