"""Build ONNX graphs of Whisper's layers from the weights of a model.

Matrices are int8. Each row of a matrix, which computes one number of the result, has a scale of its own: a float by
which the int8 numbers of the row are multiplied. CTranslate2 stores matrices in the same way. onnxruntime packs each
matrix (rearranges its numbers in memory for fast products) once, when the model is loaded. Two operators of onnxruntime
multiply by int8 matrices:

- `DynamicQuantizeMatMul` (`linear`) is the fastest for many rows. `DynamicQuantizeMatMul` has one scale for all rows of
  its input, so a row with large numbers reduces the precision of all other rows. Whisper has such rows in some layers.
  In these layers, each row is first divided by its largest number, and the result is multiplied by this number
  (`per_row`). Without this division, int8 changed the output of whisper-base's encoder by 23 % of its mean size; with
  the division, the change is 6 %, as with CTranslate2's int8.
- `MatMulNBits` (`few_rows`) has a scale for every 256 numbers of a row, so a row does not depend on other rows. For one
  to five rows, `MatMulNBits` is as fast as `DynamicQuantizeMatMul` or faster. For hundreds of rows, `MatMulNBits` takes
  twice as long as `DynamicQuantizeMatMul`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from glas.domain.errors import ModelLoadError
from glas.engines.safetensors import Array
from glas.engines.whisper.arrays import Quantised, as_float32

MICROSOFT = "com.microsoft"
"""The domain of operators that only onnxruntime has."""

GraphPrecision = Literal["int8", "float32"]

_OPSET = 20
_IR_VERSION = 10
_EPSILON = 1e-5  # of layer normalisation, as in torch
_LARGEST = 127
_TINY = 1e-10
_BLOCKS = (256, 128, 64, 32, 16)  # block sizes that MatMulNBits supports
_INT8_INPUTS = 4  # accuracy level of MatMulNBits
_ZERO = 128  # MatMulNBits subtracts this from each 8-bit number


class Port(NamedTuple):
    """An input or output of a graph: name, NumPy type, and shape. In a shape, a name stands for a size that varies."""

    name: str
    type: npt.DTypeLike
    shape: Sequence[int | str]


class Weights:
    """The weights of a Whisper under Hugging Face's names; see `glas.engines.whisper.arrays`.

    Args:
        stored: arrays in any precision.
    """

    def __init__(self, stored: Mapping[str, Array | Quantised]) -> None:
        self._stored = stored

    def has(self, name: str) -> bool:
        """Return whether there is an array of this name."""
        return name in self._stored

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array."""
        stored = self._get(name)
        return tuple((stored.values if isinstance(stored, Quantised) else stored).shape)

    def array(self, name: str) -> Array:
        """Return an array in float32."""
        return as_float32(self._get(name))

    def quantised(self, name: str) -> tuple[Array, Array]:
        """Return a matrix as int8 of shape (outputs, inputs), and the float32 step of each output.

        The original matrix is the int8 values, multiplied by the step of their row.
        """
        stored = self._get(name)
        if isinstance(stored, Quantised) and stored.values.dtype == np.int8:
            return stored.values, (1 / stored.scale).astype(np.float32)
        return quantise(as_float32(stored))

    def biases(self, projections: Sequence[str]) -> Array | None:
        """Return the joined biases of several projections; for a projection without a bias, zeros.

        If none of the projections has a bias, return None.
        """
        if not any(self.has(f"{name}.bias") for name in projections):
            return None
        return np.concatenate(
            [
                self.array(f"{name}.bias") if self.has(f"{name}.bias") else np.zeros(self.shape(f"{name}.weight")[0])
                for name in projections
            ]
        ).astype(np.float32)

    def _get(self, name: str) -> Array | Quantised:
        stored = self._stored.get(name)
        if stored is None:
            raise ModelLoadError(f"The weights lack {name}; expected those of a whole Whisper.")
        return stored


def quantise(matrix: Array) -> tuple[Array, Array]:
    """Quantise a float32 matrix to int8; return the int8 matrix, and the step of each row."""
    step = np.maximum(np.abs(matrix).max(axis=1) / _LARGEST, _TINY).astype(np.float32)
    return np.rint(matrix / step[:, None]).astype(np.int8), step


class Graph:
    """Builds a graph operator by operator. The methods return the names of the tensors that they add to the graph.

    Args:
        weights: the weights of the network, which become constants of the graph.
        precision: number format of the matrices.
    """

    def __init__(self, weights: Weights, precision: GraphPrecision) -> None:
        # The import takes a third of a second, and is needed only to load a Whisper.
        import onnx  # noqa: PLC0415

        self._onnx = onnx
        self.weights = weights
        self._precision = precision
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, value: Any, kind: npt.DTypeLike = np.int64) -> str:
        """Add a constant tensor."""
        name = f"constant_{len(self._constants)}"
        array = np.ascontiguousarray(value, dtype=kind)
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def vector(self, name: str) -> str:
        """Add an array of the weights in float32."""
        return self.constant(self.weights.array(name), np.float32)

    def nodes(self, kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> None:
        """Add an operator whose outputs have the given names."""
        self._nodes.append(self._onnx.helper.make_node(kind, inputs, outputs, **attributes))

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator with one output."""
        output = f"{kind}_{len(self._nodes)}"
        self.nodes(kind, inputs, [output], **attributes)
        return output

    def split(self, x: str, parts: int, width: int) -> list[str]:
        """Split the last axis of a tensor into parts of equal width."""
        outputs = [f"part_{len(self._nodes)}_{index}" for index in range(parts)]
        self.nodes("Split", [x, self.constant([width] * parts)], outputs, axis=-1)
        return outputs

    def normalise(self, x: str, name: str) -> str:
        """Normalise the input of a layer.

        The operator `SkipLayerNormalization`, which would also add the residual, takes eight times as long.
        """
        scale, bias = self.vector(f"{name}.weight"), self.vector(f"{name}.bias")
        return self.node("LayerNormalization", x, scale, bias, axis=-1, epsilon=_EPSILON)

    def rows(self, name: str, numbers: str) -> str:
        """Select rows of a matrix of the weights; the tensor `numbers` contains the indices of the rows."""
        if self._precision == "float32":
            return self.node("Gather", self.vector(name), numbers)
        values, steps = self.weights.quantised(name)
        table, step = self.constant(values, np.int8), self.constant(steps[:, None], np.float32)
        whole = self.node("Cast", self.node("Gather", table, numbers), to=self._onnx.TensorProto.FLOAT)
        return self.node("Mul", whole, self.node("Gather", step, numbers))

    def linear(self, x: str, *projections: str, factors: Sequence[float] = (), per_row: bool = False) -> str:
        """Multiply by one or several matrices, concatenate their outputs, and add their biases.

        Args:
            x: name of the input, of shape `(…, inputs)`.
            projections: names of the matrices, without `.weight`.
            factors: for each matrix, a factor by which the matrix is multiplied; if no factors are given, all factors
                are 1. Factors cannot be used for projections with a bias.
            per_row: whether each row of the input is quantised with its own scale, because the values of some rows are
                much larger than those of others; see the docstring of the module.
        """
        scales = factors or [1.0] * len(projections)
        bias = self.weights.biases(projections)
        if self._precision == "float32":
            matrices = [self.weights.array(f"{name}.weight") * f for name, f in zip(projections, scales, strict=True)]
            product = self.node("MatMul", x, self.constant(np.concatenate(matrices).T, np.float32))
            return product if bias is None else self.node("Add", product, self.constant(bias, np.float32))
        pairs = [self.weights.quantised(f"{name}.weight") for name in projections]
        values = np.concatenate([values for values, _ in pairs])
        steps = np.concatenate([step * f for (_, step), f in zip(pairs, scales, strict=True)])
        return self._integer_product(x, values, steps, bias, per_row=per_row)

    def few_rows(self, x: str, *projections: str) -> str:
        """Multiply like `linear`, for inputs of few rows; the result of a row does not depend on the other rows."""
        if self._precision == "float32":
            return self.linear(x, *projections)
        pairs = [self.weights.quantised(f"{name}.weight") for name in projections]
        values, steps = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        n_outputs, n_inputs = values.shape
        block = next(size for size in _BLOCKS if n_inputs % size == 0)
        blocks = (n_outputs, n_inputs // block)
        unsigned = self.constant((values.astype(np.int16) + _ZERO).reshape(*blocks, block), np.uint8)
        scales = self.constant(np.broadcast_to(steps[:, None], blocks), np.float32)
        bias = self.weights.biases(projections)
        added = [] if bias is None else ["", "", self.constant(bias, np.float32)]
        sizes = {"K": n_inputs, "N": n_outputs, "bits": 8, "block_size": block, "accuracy_level": _INT8_INPUTS}
        return self.node("MatMulNBits", x, unsigned, scales, *added, domain=MICROSOFT, **sizes)

    def matrix_product(self, x: str, matrix: Array, bias: Array) -> str:
        """Multiply like `linear(..., per_row=True)`, by an array `matrix` of shape (outputs, inputs)."""
        if self._precision == "float32":
            product = self.node("MatMul", x, self.constant(matrix.T, np.float32))
            return self.node("Add", product, self.constant(bias, np.float32))
        return self._integer_product(x, *quantise(matrix), bias, per_row=True)

    def _integer_product(self, x: str, values: Array, steps: Array, bias: Array | None, *, per_row: bool) -> str:
        inputs = [self.constant(values.T, np.int8), self.constant(steps, np.float32)]
        if not per_row:
            added = [] if bias is None else ["", self.constant(bias, np.float32)]
            return self.node("DynamicQuantizeMatMul", x, *inputs, *added, domain=MICROSOFT)
        sizes = self.node("ReduceMax", self.node("Abs", x), self.constant([-1]), keepdims=1)
        # This prevents a division by zero for a row of zeros.
        sizes = self.node("Max", sizes, self.constant(_TINY, np.float32))
        product = self.node("DynamicQuantizeMatMul", self.node("Div", x, sizes), *inputs, domain=MICROSOFT)
        product = self.node("Mul", product, sizes)
        return product if bias is None else self.node("Add", product, self.constant(bias, np.float32))

    def model(self, inputs: Sequence[Port], outputs: Sequence[Port]) -> bytes:
        """Return the graph in ONNX's format."""
        helper = self._onnx.helper
        ports = [
            [
                helper.make_tensor_value_info(
                    port.name, helper.np_dtype_to_tensor_dtype(np.dtype(port.type)), port.shape
                )
                for port in side
            ]
            for side in (inputs, outputs)
        ]
        graph = helper.make_graph(self._nodes, "whisper", *ports, self._constants)
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets)
        model.ir_version = _IR_VERSION
        return bytes(model.SerializeToString())
