"""The engine for Whisper models. Checkpoints of Hugging Face are converted to CTranslate2's format once."""

from glas.engines.whisper.engine import WhisperEngine

__all__ = ["WhisperEngine"]
