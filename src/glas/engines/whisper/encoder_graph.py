"""Whisper's encoder as an ONNX graph, which also computes keys and values of the decoder's cross-attention."""

import numpy as np

from glas.engines.whisper.graph import MICROSOFT, Graph, GraphPrecision, Port, Weights
from glas.engines.whisper.shape import Shape

_TAPS = 3


def build_encoder(weights: Weights, shape: Shape, precision: GraphPrecision) -> bytes:
    """Return the encoder as a graph in ONNX's file format.

    The input `mel` is a spectrogram of shape `(batch, mels, 2 * positions)`. The outputs are the keys and values of the
    cross-attention of each layer `i` of the decoder, in the order of axes that `glas.engines.whisper.decoder_graph`
    needs. `cross_keys_i` has the shape `(batch, heads, positions, head width)`, and is already divided by the square
    root of the head's width. `cross_values_i` has the shape `(batch, heads, head width, positions)`.
    """
    graph = Graph(weights, precision)
    x = _convolutions(graph, shape)
    for index in range(shape.encoder_layers):
        x = _layer(graph, x, f"encoder.layers.{index}", shape)
    x = graph.normalise(x, "encoder.layer_norm")
    outputs = []
    for index in range(shape.decoder_layers):
        outputs += _cross(graph, x, index, shape)
    return graph.model([Port("mel", np.float32, ("batch", shape.mels, "frames"))], outputs)


def _convolutions(graph: Graph, shape: Shape) -> str:
    """Add both convolutions and the position embeddings; shape `(batch, positions, width)`."""
    bias = graph.vector("encoder.conv1.bias")
    x = graph.node("Conv", "mel", graph.vector("encoder.conv1.weight"), bias, pads=[1, 1])
    x = graph.node("Transpose", graph.node("Gelu", x), perm=[0, 2, 1])
    # The second convolution takes every other place: frames 2t - 1, 2t and 2t + 1 beside each other are one row of a
    # product, which takes a seventh of the time of onnxruntime's convolution.
    padded = graph.node("Pad", x, graph.constant([0, 1, 0, 0, 0, 0]))
    before = graph.node("Slice", padded, *(graph.constant([value]) for value in (0, -1, 1, 2)))
    pairs = graph.node("Reshape", x, graph.constant([0, -1, 2 * shape.width]))
    kernel = graph.weights.array("encoder.conv2.weight").transpose(0, 2, 1).reshape(shape.width, _TAPS * shape.width)
    frames = graph.node("Concat", before, pairs, axis=-1)
    x = graph.node("Gelu", graph.matrix_product(frames, kernel, graph.weights.array("encoder.conv2.bias")))
    places = graph.vector("encoder.embed_positions.weight")
    ends = graph.node("Shape", x, start=1, end=2)
    return graph.node("Add", x, graph.node("Slice", places, graph.constant([0]), ends, graph.constant([0])))


def _layer(graph: Graph, x: str, name: str, shape: Shape) -> str:
    y = graph.normalise(x, f"{name}.self_attn_layer_norm")
    joined = graph.linear(y, *(f"{name}.self_attn.{letter}_proj" for letter in "qkv"))
    parts = graph.split(joined, 3, shape.width)
    y = graph.node("MultiHeadAttention", *parts, domain=MICROSOFT, num_heads=shape.encoder_heads)
    x = graph.node("Add", x, graph.linear(y, f"{name}.self_attn.out_proj"))
    y = graph.normalise(x, f"{name}.final_layer_norm")
    y = graph.node("Gelu", graph.linear(y, f"{name}.fc1"))
    return graph.node("Add", x, graph.linear(y, f"{name}.fc2", per_row=True))


def _cross(graph: Graph, x: str, index: int, shape: Shape) -> list[Port]:
    """Add the keys and values of one layer's cross-attention."""
    heads, width = shape.decoder_heads, shape.head_width
    name = f"decoder.layers.{index}.encoder_attn"
    keys = graph.linear(x, f"{name}.k_proj", factors=[width**-0.5])
    values = graph.linear(x, f"{name}.v_proj")
    by_head = graph.constant([0, 0, heads, width])
    ports = (
        Port(f"cross_keys_{index}", np.float32, ("batch", heads, "positions", width)),
        Port(f"cross_values_{index}", np.float32, ("batch", heads, width, "positions")),
    )
    for part, port, order in zip((keys, values), ports, ([0, 2, 1, 3], [0, 2, 3, 1]), strict=True):
        graph.nodes("Transpose", [graph.node("Reshape", part, by_head)], [port.name], perm=order)
    return list(ports)
