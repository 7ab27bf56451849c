"""Whisper on CTranslate2: checkpoints of Hugging Face are converted once, then `WhisperEngine` hears with them."""

from glas.engines.whisper.engine import WhisperEngine

__all__ = ["WhisperEngine"]
