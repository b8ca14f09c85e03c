"""The keys that every network-training plug-in shares."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.protocols import PluginOptions

Width = Annotated[int, Field(ge=1, le=8192)]
Importance = Literal["taylor", "norm"]


class TrainingOptions(PluginOptions):
    """How a network is trained."""

    epochs: int = Field(default=30, ge=1, le=10_000, description="most passes over the training data")
    patience: int = Field(
        default=6, ge=1, le=10_000, description="epochs without a better NDCG on valid before it stops"
    )
    batch_groups: int = Field(default=16, ge=1, le=100_000, description="query groups per step")
    learning_rate: float = Field(default=1e-3, gt=0, le=1, description="of AdamW at the start; falls along a cosine")
    weight_decay: float = Field(default=1e-4, ge=0, le=1, description="decoupled weight decay")
    seed: int = Field(default=1, ge=0, lt=2**32, description="of the weights and the order of query groups")


class NetworkOptions(TrainingOptions):
    """Shape of a new network, and how it is trained."""

    hidden: tuple[Width, ...] = Field(default=(256, 128, 64), max_length=16, description="widths of the hidden layers")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="share of hidden activations dropped in training")


class FineTuningOptions(TrainingOptions):
    """How a network that has lost something learns it again, from the uncompressed teacher and the labels."""

    epochs: int = Field(default=6, ge=1, le=10_000, description="most passes over the training data, each time")
    learning_rate: float = Field(default=5e-4, gt=0, le=1, description="of AdamW at the start; falls along a cosine")
    synthetic_share: float = Field(
        default=0.3, ge=0, le=0.95, description="synthetic documents among all that it is taught on"
    )
    label_weight: float = Field(
        default=0.1, ge=0, le=1, description="share of the loss on the true grades; the rest is on the teacher's scores"
    )


class QatOptions(FineTuningOptions):
    """How a network learns the rounding of its int8 kernels, from the uncompressed teacher.

    It has lost little, and was kept from its best epoch on valid: steps as long as those after pruning may lose that
    first and find nothing better.
    """

    learning_rate: float = Field(default=1e-4, gt=0, le=1, description="of AdamW at the start; falls along a cosine")
    label_weight: float = Field(
        default=0.0, ge=0, le=1, description="share of the loss on the true grades; the rest is on the teacher's scores"
    )
