"""Compute the time of each token from the decoder's cross-attention (method of openai/whisper, `timing.py`).

Alignment heads are the heads of the cross-attention that attend to the place of the next token in the sound. Their
attention is normalised over the tokens, smoothed over time and averaged over the heads. Dynamic time warping then finds
the path through tokens and positions with the highest attention.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_MEDIAN_WIDTH = 7
_HALF = _MEDIAN_WIDTH // 2


def arrivals(attention: Floats, n_before: int) -> list[int]:
    """Return the position in the sound at which each token of a text begins.

    Args:
        attention: weights of shape `(rows, heads, positions)`. A row belongs to a token that was read, and contains the
            attention with which the next token was predicted. Positions after the end of the sound are left out.
        n_before: number of rows before the row that predicted the first token of the text.

    Returns:
        One position for each row from `n_before` on; positions never decrease. The last row predicted the end token, so
        the last position is the end of the text.
    """
    weights = attention / attention.sum(axis=2, keepdims=True)
    spread = weights.std(axis=0)
    weights = (weights - weights.mean(axis=0)) / np.maximum(spread, np.finfo(np.float32).tiny)
    costs = -_median(weights).mean(axis=1)[n_before:]
    return _warped(costs.astype(np.float64))


def _median(values: Floats) -> Floats:
    """Apply a median filter along the last axis, with reflection at its ends."""
    if values.shape[-1] <= _HALF:
        return values
    padded = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(_HALF, _HALF)], mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _MEDIAN_WIDTH, axis=-1)
    middle: Floats = np.partition(windows, _HALF, axis=-1)[..., _HALF]
    return middle


def _warped(costs: npt.NDArray[np.float64]) -> list[int]:
    """Return, for each row of a matrix, the column where the path with the lowest cost reaches this row.

    The path leads from the first cell to the last cell. Each step leads one row down, one column to the right, or both.
    """
    n_rows, n_columns = costs.shape
    total = np.empty((n_rows, n_columns))
    total[0] = np.cumsum(costs[0])
    for row in range(1, n_rows):
        above = total[row - 1].copy()
        above[1:] = np.minimum(above[1:], total[row - 1, :-1])
        # The cheapest path to a cell enters the row of the cell from above at some column, and then follows the row.
        along = np.cumsum(costs[row])
        total[row] = along + np.minimum.accumulate(above - along + costs[row])
    found = [0] * n_rows
    row, column = n_rows - 1, n_columns - 1
    while row > 0:
        slanting = total[row - 1, column - 1] if column else np.inf
        above, before = total[row - 1, column], total[row, column - 1] if column else np.inf
        if before < min(slanting, above):
            column -= 1
            continue
        found[row] = column
        row -= 1
        column -= slanting < above
    return found
