"""Whisper's decoder as an ONNX graph that reads several tokens, of one or several texts, in one call.

All tokens of a call are rows of the same matrix products. The keys and values of self-attention are in one memory (a KV
cache) for all texts. A mask selects, for each row, the entries that belong to its text. So a text that branches needs
no copy of the cache.
"""

import numpy as np

from glas.engines.whisper.graph import MICROSOFT, Graph, GraphPrecision, Port, Weights
from glas.engines.whisper.shape import Shape


def build_decoder(weights: Weights, shape: Shape, precision: GraphPrecision) -> bytes:
    """Return the decoder as a graph in ONNX's file format.

    A call reads `sounds` × `texts` tokens, each in one row; the rows of one sound are beside each other. Inputs:

    - `tokens`, `positions`: ids of the tokens, and indices of their position embeddings, shape `(1, rows)`;
    - `mask`: shape `(1, 1, rows, used)`, 0 for places that a row attends to, and a large negative number elsewhere. The
      `used` places of the memory are the places of earlier calls, followed by one place for each row, in the order of
      the rows. A row never attends to places after its own place;
    - `last`, `used`: int32, shape `(1,)`: index of the last used place, and the number of used places;
    - `keys_i`, `values_i`: the memory of layer `i` with `room` places, shape `(1, heads, room, head width)`. The
      outputs `new_keys_i` and `new_values_i` must be bound to the same buffers, which are changed in place;
    - `cross_keys_i`, `cross_values_i`: the outputs of the encoder;
    - `grid`: the four numbers `(sounds, texts, heads, head width)`, the shape of the queries of cross-attention;
    - `chosen`: indices of the rows whose next token is requested; `barred`: shape `(tokens,)`, is added to the logits;
      `n_best`: shape `(1,)`, the number of best tokens.

    Outputs:

    - `logits`: shape `(chosen, tokens)`, with `barred` added;
    - `best`, `best_tokens`: shape `(chosen, n_best)`, natural logarithms of the probabilities of the best next tokens,
      and their ids;
    - `attention_i`, for each layer with alignment heads: shape `(sounds, alignment heads, positions, texts)`.
    """
    graph = Graph(weights, precision)
    inputs = _inputs(shape)
    outputs: list[Port] = []
    x = _embedded(graph)
    for index in range(shape.decoder_layers):
        x = _layer(graph, x, index, shape)
        inputs += _memory("", index, shape)
        outputs += _memory("new_", index, shape)
        inputs += _encoded(index, shape)
        if heads := shape.alignment_heads.get(index):
            outputs.append(Port(f"attention_{index}", np.float32, ("sounds", len(heads), "positions", "texts")))
    x = graph.normalise(x, "decoder.layer_norm")
    rows = graph.node("Gather", graph.node("Reshape", x, graph.constant([-1, shape.width])), "chosen")
    # The output layer is the embedding again, unless the checkpoint has one of its own.
    name = "proj_out" if weights.has("proj_out.weight") else "decoder.embed_tokens"
    graph.nodes("Add", [graph.few_rows(rows, name), "barred"], ["logits"])
    graph.nodes("TopK", [graph.node("LogSoftmax", "logits", axis=-1), "n_best"], ["best", "best_tokens"], axis=-1)
    outputs += [
        Port("logits", np.float32, ("chosen", shape.tokens)),
        Port("best", np.float32, ("chosen", "n_best")),
        Port("best_tokens", np.int64, ("chosen", "n_best")),
    ]
    return graph.model(inputs, outputs)


def _inputs(shape: Shape) -> list[Port]:
    return [
        Port("tokens", np.int64, (1, "rows")),
        Port("positions", np.int64, (1, "rows")),
        Port("mask", np.float32, (1, 1, "rows", "used")),
        Port("last", np.int32, (1,)),
        Port("used", np.int32, (1,)),
        Port("grid", np.int64, (4,)),
        Port("chosen", np.int64, ("chosen",)),
        Port("barred", np.float32, (shape.tokens,)),
        Port("n_best", np.int64, (1,)),
    ]


def _memory(prefix: str, index: int, shape: Shape) -> list[Port]:
    size = (1, shape.decoder_heads, "room", shape.head_width)
    return [Port(f"{prefix}{kind}_{index}", np.float32, size) for kind in ("keys", "values")]


def _encoded(index: int, shape: Shape) -> list[Port]:
    """Return the ports for the outputs of the encoder, to which a layer attends."""
    return [
        Port(f"cross_keys_{index}", np.float32, ("sounds", shape.decoder_heads, "positions", shape.head_width)),
        Port(f"cross_values_{index}", np.float32, ("sounds", shape.decoder_heads, shape.head_width, "positions")),
    ]


def _embedded(graph: Graph) -> str:
    places = graph.vector("decoder.embed_positions.weight")
    return graph.node(
        "Add", graph.rows("decoder.embed_tokens.weight", "tokens"), graph.node("Gather", places, "positions")
    )


def _layer(graph: Graph, x: str, index: int, shape: Shape) -> str:
    name = f"decoder.layers.{index}"
    y = graph.normalise(x, f"{name}.self_attn_layer_norm")
    joined = graph.few_rows(y, *(f"{name}.self_attn.{letter}_proj" for letter in "qkv"))
    y = _remembered(graph, joined, index, shape)
    x = graph.node("Add", x, graph.few_rows(y, f"{name}.self_attn.out_proj"))
    y = graph.normalise(x, f"{name}.encoder_attn_layer_norm")
    y = _listened(graph, graph.few_rows(y, f"{name}.encoder_attn.q_proj"), index, shape)
    x = graph.node("Add", x, graph.few_rows(y, f"{name}.encoder_attn.out_proj"))
    y = graph.normalise(x, f"{name}.final_layer_norm")
    y = graph.node("Gelu", graph.few_rows(y, f"{name}.fc1"))
    return graph.node("Add", x, graph.few_rows(y, f"{name}.fc2"))


def _remembered(graph: Graph, joined: str, index: int, shape: Shape) -> str:
    """Add self-attention, which appends keys and values of the rows to the memory."""
    memory, new = ([port.name for port in _memory(prefix, index, shape)] for prefix in ("", "new_"))
    output = f"remembered_{index}"
    heads = {"num_heads": shape.decoder_heads, "kv_num_heads": shape.decoder_heads}
    inputs = [joined, "", "", *memory, "last", "used", "", "", "", "mask"]
    graph.nodes("GroupQueryAttention", inputs, [output, *new], domain=MICROSOFT, **heads)
    return output


def _listened(graph: Graph, queries: str, index: int, shape: Shape) -> str:
    """Add cross-attention.

    Keys and values are the left factors of the matrix products, because onnxruntime would have to rearrange right
    factors in memory at each call.
    """
    queries = graph.node("Transpose", graph.node("Reshape", queries, "grid"), perm=[0, 2, 3, 1])
    attention = graph.node("Softmax", graph.node("MatMul", f"cross_keys_{index}", queries), axis=2)
    if heads := shape.alignment_heads.get(index):
        graph.nodes("Gather", [attention, graph.constant(heads)], [f"attention_{index}"], axis=1)
    y = graph.node("Transpose", graph.node("MatMul", f"cross_values_{index}", attention), perm=[0, 3, 1, 2])
    return graph.node("Reshape", y, graph.constant([1, -1, shape.width]))
