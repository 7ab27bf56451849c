"""Whisper in torch, for training only. The parameters have the same names as in Hugging Face's checkpoints.

The encoder accepts any number of frames up to its window, because training uses clips at their true length. The decoder
returns the hidden states after every layer, because distillation compares the hidden states of two networks.

Architecture: Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - torch's customary name
from torch import Tensor, nn

from glas.domain.errors import ConfigurationError

Arrays = Mapping[str, npt.NDArray[Any]]

AUTO = "auto"
BFLOAT16 = ("avx512_bf16", "amx_bf16")  # instructions of x86 processors
AMPERE = (8, 0)  # compute capability of the first GPUs with bfloat16
HEAD_WIDTH = 64  # of every published Whisper; other checkpoints say in their configuration how many heads they have


@dataclass(frozen=True)
class Shape:
    """Sizes of a Whisper model.

    Attributes:
        width: number of values of a hidden state.
        inner_width: number of values inside the feed-forward layers.
        n_layers: number of layers of the encoder.
        n_decoder_layers: number of layers of the decoder.
        n_mels: number of bands of the spectrogram.
        n_tokens: size of the vocabulary.
        n_positions: number of positions of the encoder, 20 ms each.
        text_context: largest number of tokens in the decoder.
        n_heads: number of attention heads in each layer.
    """

    width: int
    inner_width: int
    n_layers: int
    n_decoder_layers: int
    n_mels: int
    n_tokens: int
    n_positions: int
    text_context: int
    n_heads: int

    @classmethod
    def of(cls, arrays: Arrays, n_heads: int | None = None) -> "Shape":
        """Read the sizes from the weights. The number of heads cannot be read from weights, so it is an argument.

        Args:
            arrays: the weights.
            n_heads: number of attention heads; None means one for each `HEAD_WIDTH` values.
        """
        n_tokens, width = arrays["decoder.embed_tokens.weight"].shape
        layers = {"encoder": 0, "decoder": 0}
        for name in arrays:
            side, _, rest = name.partition(".layers.")
            if rest:
                layers[side] = max(layers[side], int(rest.partition(".")[0]) + 1)
        return cls(
            width=width,
            inner_width=arrays["encoder.layers.0.fc1.weight"].shape[0],
            n_layers=layers["encoder"],
            n_decoder_layers=layers["decoder"],
            n_mels=arrays["encoder.conv1.weight"].shape[1],
            n_tokens=n_tokens,
            n_positions=arrays["encoder.embed_positions.weight"].shape[0],
            text_context=arrays["decoder.embed_positions.weight"].shape[0],
            n_heads=n_heads or width // HEAD_WIDTH,
        )


def chosen_device(name: str) -> torch.device:
    """Return the device of torch that has a given name.

    Args:
        name: a device of torch, such as `cpu` or `cuda:1`; or `auto`, which means the first CUDA GPU if there is one,
            and otherwise the processor.

    Raises:
        ConfigurationError: torch does not support this device on this machine.
    """
    if name == AUTO:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:  # torch built without CUDA raises AssertionError
        raise ConfigurationError(f"expected a device that torch can use, such as cpu or cuda, got {name!r}") from error


def half_precision(device: torch.device) -> torch.autocast:
    """Compute matrix products in bfloat16 while the context is open, if the device has instructions for bfloat16.

    Without such instructions, bfloat16 takes two to three times as long as float32, so the context changes nothing.
    Processors with AVX2 only, and older processors with AVX-512, have no such instructions. GPUs older than Ampere
    (2020) have none either.
    """
    if device.type == "cuda":
        is_fast = torch.cuda.get_device_capability(device) >= AMPERE
    else:
        is_fast = any(torch.cpu.get_capabilities().get(name) for name in BFLOAT16)
    return torch.autocast(device.type, torch.bfloat16, enabled=is_fast)


class Attention(nn.Module):
    """Multi-head attention; the linear layer of the keys has no bias."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, context: Tensor, *, causal: bool = False) -> Tensor:
        """Attend from `x`, shape (batch, n, width), to `context`, shape (batch, m, width).

        If `causal` is set, a position does not attend to later positions.
        """
        batch, count, width = x.shape
        queries, keys, values = (
            projected.view(batch, -1, self.n_heads, width // self.n_heads).transpose(1, 2)
            for projected in (self.q_proj(x), self.k_proj(context), self.v_proj(context))
        )
        mixed = F.scaled_dot_product_attention(queries, keys, values, is_causal=causal)
        mixed = mixed.transpose(1, 2).reshape(batch, count, width)
        projected: Tensor = self.out_proj(mixed)
        return projected


class Layer(nn.Module):
    """One layer of the encoder or, if `attends_sound` is set, of the decoder."""

    def __init__(self, shape: Shape, *, attends_sound: bool) -> None:
        super().__init__()
        self.self_attn = Attention(shape.width, shape.n_heads)
        self.self_attn_layer_norm = nn.LayerNorm(shape.width)
        if attends_sound:
            self.encoder_attn = Attention(shape.width, shape.n_heads)
            self.encoder_attn_layer_norm = nn.LayerNorm(shape.width)
        self.fc1 = nn.Linear(shape.width, shape.inner_width)
        self.fc2 = nn.Linear(shape.inner_width, shape.width)
        self.final_layer_norm = nn.LayerNorm(shape.width)

    def forward(self, x: Tensor, sound: Tensor | None = None) -> Tensor:
        """Compute the next hidden states, shape (batch, n, width).

        For a layer of the decoder, `sound` is the encoder's output.
        """
        normed = self.self_attn_layer_norm(x)
        x = x + self.self_attn(normed, normed, causal=sound is not None)
        if sound is not None:
            x = x + self.encoder_attn(self.encoder_attn_layer_norm(x), sound)
        hidden: Tensor = x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))
        return hidden


class Encoder(nn.Module):
    """Turns a log-mel spectrogram into hidden states, one every 20 ms."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(shape.n_mels, shape.width, 3, padding=1)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=2, padding=1)
        self.embed_positions = nn.Embedding(shape.n_positions, shape.width)
        self.layers = nn.ModuleList(Layer(shape, attends_sound=False) for _ in range(shape.n_layers))
        self.layer_norm = nn.LayerNorm(shape.width)

    def forward(self, mel: Tensor) -> Tensor:
        """Encode spectrograms, shape (batch, bands, frames); all spectrograms of a batch have the same length."""
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2)
        x = x + self.embed_positions.weight[: x.shape[1]]
        for layer in self.layers:
            x = layer(x)
        encoded: Tensor = self.layer_norm(x)
        return encoded


class Decoder(nn.Module):
    """Turns tokens and an encoded sound into hidden states; embedding and output layer have the same weights."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.n_tokens, shape.width)
        self.embed_positions = nn.Embedding(shape.text_context, shape.width)
        self.layers = nn.ModuleList(Layer(shape, attends_sound=True) for _ in range(shape.n_decoder_layers))
        self.layer_norm = nn.LayerNorm(shape.width)

    def forward(self, tokens: Tensor, sound: Tensor) -> list[Tensor]:
        """Return the hidden states after each layer, shape (batch, n, width); the last hidden states are normalised."""
        x = self.embed_tokens(tokens) + self.embed_positions.weight[: tokens.shape[1]]
        states = []
        for layer in self.layers:
            x = layer(x, sound)
            states.append(x)
        states[-1] = self.layer_norm(states[-1])
        return states

    def scores(self, state: Tensor) -> Tensor:
        """Return unnormalised scores of the next token, shape (…, tokens), from the last hidden state."""
        return F.linear(state, self.embed_tokens.weight)


class Whisper(nn.Module):
    """Encoder and decoder, with the weights of a checkpoint."""

    def __init__(self, arrays: Arrays, n_heads: int | None = None) -> None:
        super().__init__()
        self.shape = Shape.of(arrays, n_heads)
        self.encoder, self.decoder = Encoder(self.shape), Decoder(self.shape)
        own = self.state_dict()
        self.load_state_dict({name: torch.from_numpy(np.array(arrays[name], np.float32)) for name in own})
        self.requires_grad_(requires_grad=False)

    @property
    def device(self) -> torch.device:
        """The device on which the network computes."""
        return self.encoder.conv1.weight.device
