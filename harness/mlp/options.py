"""The keys that every network-training plug-in shares."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness.protocols import PluginOptions

Width = Annotated[int, Field(ge=1, le=8192)]


class NetworkOptions(PluginOptions):
    """Shape of the network and how it is trained."""

    hidden: tuple[Width, ...] = Field(default=(256, 128, 64), max_length=16, description="widths of the hidden layers")
    epochs: int = Field(default=30, ge=1, le=10_000, description="most passes over the training data")
    patience: int = Field(
        default=6, ge=1, le=10_000, description="epochs without a better NDCG on valid before it stops"
    )
    batch_groups: int = Field(default=16, ge=1, le=100_000, description="query groups per step")
    learning_rate: float = Field(default=1e-3, gt=0, le=1, description="of AdamW at the start; falls along a cosine")
    weight_decay: float = Field(default=1e-4, ge=0, le=1, description="decoupled weight decay")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="share of hidden activations dropped in training")
    seed: int = Field(default=1, ge=0, lt=2**32, description="of the weights and the order of query groups")
