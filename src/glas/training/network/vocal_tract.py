"""The exported network hears every utterance as if from several vocal tracts, and believes the one it is surest of.

Longer vocal tracts have lower formants.  Speaker normalisation by trying frequency warps and keeping the most probable
one: Lee and Rose, "Speaker normalization using efficient frequency warping procedures", ICASSP 1996.  Here the
log-probabilities of all warps are averaged with weights that fall fast with the distance to the best score, which is a
little better than keeping one.  A warp is linear, and so is the first convolution, so that its matrix is folded into
the weights: one convolution with as many times the channels makes all the warps.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from glas.training.network.batches import stretch
from glas.training.network.model import Network, output_lengths, valid
from glas.training.sound.features import BANDS

RATIOS = (0.88, 1.0, 1.12)  # as `stretch` reads bands: below one, what was heard is moved down
SHARPNESS = 120.0  # of the weights, per neper of the mean log-probability of a frame
FLOOR = -1.2  # deviations below a band's mean; what is quieter says nothing, and rooms and noise change it most
LEAST_DEVIATION = 1e-5


def warp(ratio: float) -> Tensor:
    """Matrix (80, 80): features (t, 80) times it are `stretch(features, ratio, axis=1)`."""
    return torch.from_numpy(stretch(torch.eye(BANDS).numpy(), ratio, 1))


def floored(features: Tensor, lengths: Tensor) -> Tensor:
    """Normalised features (B, 80, T) with nothing below the floor, and normalised anew; zeros beyond the lengths."""
    inside = valid(torch.ones_like(features[:, :1]), lengths)
    count = inside.sum(dim=2, keepdim=True)
    raised = features.clamp(min=FLOOR) * inside
    centred = (raised - raised.sum(dim=2, keepdim=True) / count) * inside
    variance = (centred * centred).sum(dim=2, keepdim=True) / count
    return centred / (variance.sqrt() + LEAST_DEVIATION)


class SpeakerNormalised(nn.Module):
    """The network without the output at mid depth, under the names that NeMo's exports use."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        stem = network.stem_1
        self.stem = nn.Conv1d(
            BANDS, stem.out_channels * len(RATIOS), stem.kernel_size[0], stem.stride[0], int(stem.padding[0])
        )
        with torch.no_grad():
            warped = [torch.einsum("ij,ojk->oik", warp(ratio), stem.weight) for ratio in RATIOS]
            self.stem.weight.copy_(torch.cat(warped))
            if self.stem.bias is not None and stem.bias is not None:
                self.stem.bias.copy_(stem.bias.repeat(len(RATIOS)))

    def forward(self, audio_signal: Tensor, length: Tensor) -> Tensor:
        """Features (B, 80, T) and lengths (B,) to log-probabilities (B, T', 34)."""
        frames = self.stem(floored(audio_signal, length))
        frames = frames.reshape(-1, self.network.shape.stem_width, frames.shape[2])
        lengths = length[:, None].expand(-1, len(RATIOS)).reshape(-1)
        each, _ = self.network.after_stem(frames, lengths)
        each = each.reshape(-1, len(RATIOS), each.shape[1], each.shape[2])
        scores = mean_best(each, output_lengths(self.network.shape, length))
        weights = F.softmax(SHARPNESS * scores, dim=1)[:, :, None, None]
        return F.log_softmax((each * weights).sum(dim=1), dim=-1)


def mean_best(log_probs: Tensor, lengths: Tensor) -> Tensor:
    """Mean log-probability (B, K) of the best symbols of (B, K, T', 34), each row of a batch as long as it is."""
    best = valid(log_probs.amax(dim=-1), lengths)
    return best.sum(dim=2) / lengths[:, None].to(best.dtype)
