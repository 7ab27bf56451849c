"""The engine for Whisper models. A checkpoint of Hugging Face is converted to CTranslate2's format at its first use."""

from glas.engines.whisper.engine import WhisperEngine

__all__ = ["WhisperEngine"]
