"""The engine for Whisper models; checkpoints of Hugging Face are first converted to CTranslate2's format, once."""

from glas.engines.whisper.engine import WhisperEngine

__all__ = ["WhisperEngine"]
