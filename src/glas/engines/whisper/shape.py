"""The shape of a Whisper network: its dimensions, and the attention heads from which times of tokens are computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Shape:
    """Dimensions of a network.

    Attributes:
        width: number of values for each position (`d_model`).
        mels: number of mel bands.
        tokens: size of the vocabulary.
        source_positions: number of positions in the encoder's window; each position stands for 20 ms.
        target_positions: largest number of tokens in the decoder.
        encoder_layers, encoder_heads, decoder_layers, decoder_heads: numbers of layers, and of heads in each layer.
        alignment_heads: heads of the decoder's cross-attention from which times are computed, by layer.
    """

    width: int
    mels: int
    tokens: int
    source_positions: int
    target_positions: int
    encoder_layers: int
    encoder_heads: int
    decoder_layers: int
    decoder_heads: int
    alignment_heads: Mapping[int, tuple[int, ...]]

    @property
    def head_width(self) -> int:
        """Number of values for each position and head of the decoder."""
        return self.width // self.decoder_heads

    @property
    def alignment_layers(self) -> list[int]:
        """Layers of the decoder with alignment heads."""
        return sorted(self.alignment_heads)


def shape_of(config: Mapping[str, Any], settings: Mapping[str, Any]) -> Shape:
    """Return the shape from the configurations of Hugging Face and of CTranslate2.

    Args:
        config: the dimensions of the network; see `glas.engines.whisper.arrays.load_configuration`.
        settings: CTranslate2's `config.json`, which contains the alignment heads.
    """
    layers, heads = config["decoder_layers"], config["decoder_attention_heads"]
    # If the heads are not known, CTranslate2 and openai/whisper use all heads of the last half of the layers.
    pairs = settings.get("alignment_heads") or [(i, head) for i in range(layers // 2, layers) for head in range(heads)]
    return Shape(
        width=config["d_model"],
        mels=config["num_mel_bins"],
        tokens=config["vocab_size"],
        source_positions=config["max_source_positions"],
        target_positions=config["max_target_positions"],
        encoder_layers=config["encoder_layers"],
        encoder_heads=config["encoder_attention_heads"],
        decoder_layers=layers,
        decoder_heads=heads,
        alignment_heads={
            layer: tuple(head for other, head in pairs if other == layer)
            for layer in sorted({pair[0] for pair in pairs})
        },
    )
