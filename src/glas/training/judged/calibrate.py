"""Confidence of the released model: fitted on speech of its own, measured on recordings of people.

The calibration set is made of sentences and voices that no test has: clips of shards that the adapter did not learn
from, sent through worse channels than training's, so that the weights see a model that fails about as often as it does
with strangers.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from glas.audio.vad import VoiceActivityDetector
from glas.domain.decoding import DecodingOptions
from glas.domain.metrics import right_words
from glas.domain.text import RU_NORM_VERSION, normalise
from glas.engines.whisper.confidence import FEATURES, FILE, Calibration, Signs, features
from glas.engines.whisper.engine import WhisperEngine
from glas.training.judged.evaluate import TestSet, hypotheses, open_engine
from glas.training.judged.logistic import Bools, Floats, auroc, bins, calibration_error, fit
from glas.training.judged.reliability import plot
from glas.training.release import write_checksums
from glas.training.sound.augment import Augmentation
from glas.training.sound.channel import Samples, decode_audio
from glas.training.sound.clips import open_clips
