"""Test on which device and with which precision a training computes, and that its batches are drawn ahead."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (see `make train-setup`)")

from glas.domain.errors import ConfigurationError
from glas.training.adapter.ahead import drawn_ahead
from glas.training.adapter.network import chosen_device, half_precision


def test_a_device_that_torch_does_not_have_is_refused() -> None:
    assert chosen_device("auto").type in ("cpu", "cuda")
    for name in ("cuda:99", "gramophone"):
        with pytest.raises(ConfigurationError, match=name):
            chosen_device(name)


@pytest.mark.parametrize(("capabilities", "is_half"), [({"avx512_f": True}, False), ({"avx512_bf16": True}, True)])
def test_bfloat16_only_with_instructions_for_it(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], *, is_half: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    matrix = torch.ones(2, 2)
    with half_precision(torch.device("cpu")):
        assert ((matrix @ matrix).dtype == torch.bfloat16) is is_half


@pytest.mark.parametrize("n_threads", [0, 3])
def test_batches_drawn_ahead_keep_their_order_and_end_with_the_training(n_threads: int) -> None:
    drawn: list[int] = []

    def draw(step: int) -> int:
        drawn.append(step)
        return step * step

    with drawn_ahead(draw, 2, 30, n_threads) as batches:
        assert [next(batches) for _ in range(5)] == [4, 9, 16, 25, 36]
    assert len(drawn) < 20, "the training has ended, but batches are still drawn"
    with drawn_ahead(draw, 2, 5, n_threads) as batches:
        assert list(batches) == [4, 9, 16]
