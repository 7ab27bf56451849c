"""The choice of a vocal tract: what the exported network does before and after the network that was trained."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")
pytest.importorskip("onnx_asr", reason="recognition dependencies are not installed")

from torch import Tensor

from glas.training.network.batches import stretch
from glas.training.network.export import export_onnx
from glas.training.network.model import Network, Shape, output_lengths
from glas.training.network.vocal_tract import FLOOR, RATIOS, SHARPNESS, SpeakerNormalised, floored, mean_best, warp
from glas.training.sound.features import normalise

SMALL = Shape(stem_width=16, width=16, kernels=(3, 3))


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    made: Network = Network(SMALL).eval()
    return made


def speech(seed: int, frames: int) -> Tensor:
    """Features (1, 80, frames) like a voice's: loud and quiet frames, smooth over bands."""
    rng = np.random.default_rng(seed)
    loud = np.repeat(rng.normal(0, 2, frames // 5 + 1), 5)[:frames, None]
    shape = np.cumsum(rng.normal(0, 0.3, (frames, 80)), axis=1)
    return torch.from_numpy(normalise((loud + shape).astype(np.float32)).T[None].copy())


def test_a_warp_is_what_training_does_to_bands() -> None:
    features = speech(1, 50)[0].T.numpy()
    for ratio in RATIOS:
        np.testing.assert_allclose(features @ warp(ratio).numpy(), stretch(features, ratio, 1), atol=1e-5)


def test_floored_features_are_normalised_and_cut_below() -> None:
    features = speech(2, 90)
    changed = floored(features, torch.tensor([90]))[0].T.numpy()
    np.testing.assert_allclose(changed, normalise(np.maximum(features[0].T.numpy(), FLOOR)), atol=0.02)


def test_the_outputs_are_the_average_of_warped_copies_by_how_sure_each_is(network: Network) -> None:
    features, lengths = speech(3, 120), torch.tensor([120])
    with torch.inference_mode():
        seen = floored(features, lengths)
        each = [network(torch.einsum("bit,ij->bjt", seen, warp(ratio)), lengths)[0] for ratio in RATIOS]
        scores = torch.tensor([float(one.amax(-1).mean()) for one in each])
        weights = torch.softmax(SHARPNESS * scores, 0)
        expected = torch.log_softmax(sum(one * weight for one, weight in zip(each, weights, strict=True)), -1)
        found = SpeakerNormalised(network)(features, lengths)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-3)
    assert weights.max() > weights.min()


def test_an_utterance_does_not_depend_on_its_neighbours(network: Network) -> None:
    short, long = speech(4, 83), speech(5, 200)
    both = torch.zeros(2, 80, 200)
    both[0, :, :83], both[0, :, 83:], both[1] = short[0], 3.0, long[0]
    lengths = torch.tensor([83, 200])
    heard = SpeakerNormalised(network)
    with torch.inference_mode():
        alone, together = heard(short, lengths[:1]), heard(both, lengths)
    count = int(output_lengths(SMALL, lengths)[0])
    torch.testing.assert_close(together[0, :count], alone[0, :count], atol=1e-4, rtol=1e-3)


def test_scores_leave_padding_out() -> None:
    log_probs = torch.full((1, 1, 4, 3), -5.0)
    log_probs[0, 0, :, 1] = torch.tensor([-1.0, -3.0, -9.0, -9.0])
    assert mean_best(log_probs, torch.tensor([2])).tolist() == [[-2.0]]


def test_the_exported_graph_does_the_same(network: Network, tmp_path: Path) -> None:
    export_onnx(network, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    for frames in (7, 150):
        features, lengths = speech(6, frames), torch.tensor([frames])
        with torch.inference_mode():
            expected = SpeakerNormalised(network)(features, lengths).numpy()
        (found,) = session.run(["logprobs"], {"audio_signal": features.numpy(), "length": lengths.numpy()})
        np.testing.assert_allclose(found, expected, atol=1e-3)
