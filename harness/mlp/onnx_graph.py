"""A network as an ONNX graph: its input transform, then its layers in float32, or in int8 between fixed grids.

In int8 the graph is static QDQ: activations are unsigned bytes with one scale each, weights signed bytes with one scale
per output channel, biases 32-bit integers; QuantizeLinear and DequantizeLinear stand around every hidden layer, which
ONNX Runtime fuses into integer kernels. The output layer stays float32, for its error would go into each score.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from harness.mlp.model import Grid, Layer, MlpModel, bias_unit, whole_bias
from harness.mlp.transform import CLIP

OPSET, IR_VERSION = 17, 9
INPUT, OUTPUT = "x", "scores"


def graph_of(model: MlpModel) -> bytes:
    """The serialised model: x (n, n_features) float32 -> scores (n, 1) float32; int8 where the model has `grids`."""
    graph = _Graph()
    values = _transformed(graph, model)
    *hidden, output = model.layers
    if not model.grids:
        for layer in hidden:
            values = graph.node("Relu", graph.gemm(values, layer))
    else:
        values = graph.quantised(values, model.grids[0])
        for layer, above, below in zip(hidden, model.grids, model.grids[1:], strict=False):
            values = graph.quantised(graph.node("Relu", graph.gemm_int8(values, layer, above)), below)
    graph.node("Identity", graph.gemm(values, output), out=OUTPUT)
    return graph.serialised(model.transform.n_features)


def _transformed(graph: _Graph, model: MlpModel) -> str:
    """The nodes of `harness.mlp.transform.Transformer`."""
    spec = model.transform
    zero, low, high = (graph.constant(np.float32(value)) for value in (0.0, -CLIP, CLIP))
    size = graph.node("Log", graph.node("Add", graph.node("Abs", INPUT), graph.constant(np.float32(1))))
    logs = graph.node("Mul", graph.node("Sign", INPUT), size)
    scaled = graph.node("Add", graph.node("Mul", logs, graph.constant(spec.scale)), graph.constant(spec.shift))
    values = graph.node("Clip", graph.node("Where", graph.node("IsNaN", scaled), zero, scaled), low, high)
    if not spec.missing.size:
        return values
    raw = graph.node("Gather", INPUT, graph.constant(spec.missing), axis=1)
    absent = graph.node("Cast", graph.node("IsNaN", raw), to=onnx.TensorProto.FLOAT)
    return graph.node("Concat", values, absent, axis=1)


class _Graph:
    """Nodes and constants under construction; every method that adds something gives its name."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, value: Any) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(onnx.numpy_helper.from_array(np.array(value), name))
        return name

    def node(self, kind: str, *inputs: str, out: str = "", **attributes: Any) -> str:
        out = out or f"v{len(self._nodes)}"
        self._nodes.append(onnx.helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def gemm(self, values: str, layer: Layer) -> str:
        return self.node("Gemm", values, self.constant(layer.weight), self.constant(layer.bias), transB=1)

    def quantised(self, values: str, grid: Grid) -> str:
        """Values rounded to the unsigned bytes of `grid`, and back."""
        ends = self.constant(grid.scale), self.constant(grid.zero)
        return self.node("DequantizeLinear", self.node("QuantizeLinear", values, *ends), *ends)

    def gemm_int8(self, values: str, layer: Layer, grid: Grid) -> str:
        """An int8 layer on inputs of `grid`, biases in units of both scales."""
        assert layer.scale is not None  # noqa: S101  # chosen by the caller
        weight = self._restored(layer.weight, layer.scale[:, 0])
        return self.node(
            "Gemm", values, weight, self._restored(whole_bias(layer, grid), bias_unit(layer, grid)), transB=1
        )

    def _restored(self, integers: NDArray[Any], scale: NDArray[np.float32]) -> str:
        zero = self.constant(np.zeros(scale.size, integers.dtype))
        return self.node("DequantizeLinear", self.constant(integers), self.constant(scale), zero, axis=0)

    def serialised(self, n_features: int) -> bytes:
        make, number = onnx.helper, onnx.TensorProto.FLOAT
        graph = make.make_graph(
            self._nodes,
            "ranker",
            [make.make_tensor_value_info(INPUT, number, ["n", n_features])],
            [make.make_tensor_value_info(OUTPUT, number, ["n", 1])],
            self._constants,
        )
        model = make.make_model(graph, opset_imports=[make.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        content: bytes = model.SerializeToString()
        return content
