"""Train the backbone's last layer along with the heads, so that fewer dims tell more of what all 384 did.

A head can only choose among directions that are there. The last layer can turn what it writes towards those that a head
keeps. The teacher stays the backbone as it was, with all its rows (heads.py), so nothing else has a reason to change.
What the layers before it say of the training texts is made once (features.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, linear, normalize

from features import Features
from heads import Floats, Settings, Steps, Texts, draw, losses, make_batch

_NAMES = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
)
_HEADS = 12
_EPSILON = 1e-12
_BUCKETS = 4  # of like length, in which a group's texts are padded
_TEXTS_AT_ONCE = 64


@dataclass(frozen=True)
class States:
    """What the layer reads of texts end to end: (tokens, 384) float16, (n + 1,) starts, and (tokens,) bool, those
    whose rows the shipped roles keep."""

    rows: NDArray[np.float16]
    starts: NDArray[np.int64]
    kept: NDArray[np.bool_]

    @classmethod
    def of(cls, made: Features, rows: NDArray[np.float16]) -> "States":
        """Those of the texts that `made` is of."""
        return cls(rows, made.vectors.starts, made.text)


class Layer:
    """One layer of BERT, by the names of its tensors (weights as matrices of (outputs, inputs)); products in bfloat16,
    which a Zen 4 does four times as fast as float32."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self.tensors = tensors

    @classmethod
    def last_of(cls, checkpoint: Path) -> "Layer":
        """That of a model.safetensors with Hugging Face's names, to be learnt."""
        with safe_open(checkpoint, "np") as file:
            number = max(int(name.split(".")[2]) for name in file.keys() if name.startswith("encoder.layer."))  # noqa: SIM118
            names = [f"encoder.layer.{number}.{name}.{part}" for name in _NAMES for part in ("weight", "bias")]
            return cls({name: torch.from_numpy(file.get_tensor(name)).requires_grad_() for name in names})

    def saved(self) -> dict[str, NDArray[np.float16]]:
        """Its tensors as they are kept. int8 matrices are made of them, which have 8 bits less."""
        return {name: tensor.detach().numpy().astype(np.float16) for name, tensor in self.tensors.items()}

    def take(self, states: States, which: Sequence[int]) -> Tensor:
        """Its rows (tokens, 384) of some texts, those that are kept, end to end."""
        places = [np.arange(states.starts[i], states.starts[i + 1]) for i in which]
        own = np.concatenate(places)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rows = self._apply(
                torch.from_numpy(states.rows[own].astype(np.float32)), np.array([len(place) for place in places])
            )
        return rows.float().index_select(0, torch.from_numpy(np.flatnonzero(states.kept[own])))

    def all_rows(self, states: States) -> NDArray[np.float16]:
        """Its rows of every text, those that are kept, of length 1."""
        made = []
        with torch.no_grad():
            for first in range(0, len(states.starts) - 1, _TEXTS_AT_ONCE):
                some = range(first, min(first + _TEXTS_AT_ONCE, len(states.starts) - 1))
                made.append(normalize(self.take(states, some)).numpy().astype(np.float16))
        return np.concatenate(made)

    def _apply(self, rows: Tensor, lengths: NDArray[np.int64]) -> Tensor:
        attended = self._attention(rows, lengths)
        hidden = self._norm("attention.output", rows + self._linear("attention.output.dense", attended))
        inner = gelu(self._linear("intermediate.dense", hidden))
        return self._norm("output", hidden + self._linear("output.dense", inner))

    def _attention(self, rows: Tensor, lengths: NDArray[np.int64]) -> Tensor:
        """Texts attend to themselves. Padded by like length; what comes out lies as what went in."""
        queries, keys, values = (self._linear(f"attention.self.{name}", rows) for name in ("query", "key", "value"))
        starts, width = np.cumsum(lengths) - lengths, rows.shape[1]
        found, places = [], []
        for bucket in np.array_split(np.argsort(lengths, kind="stable"), min(_BUCKETS, len(lengths))):
            steps = np.arange(lengths[bucket].max())
            present = steps < lengths[bucket][:, None]
            padded = np.where(present, starts[bucket][:, None] + steps, 0)
            shape = (*padded.shape, _HEADS, width // _HEADS)
            every = torch.from_numpy(padded.reshape(-1))
            q, k, v = (x.index_select(0, every).reshape(shape).transpose(1, 2) for x in (queries, keys, values))
            hidden = torch.zeros(present.shape).masked_fill(torch.from_numpy(~present), -torch.inf)[:, None, None, :]
            shares = torch.softmax(q @ k.transpose(2, 3) / (width // _HEADS) ** 0.5 + hidden, dim=-1)
            out = (shares @ v).transpose(1, 2).reshape(-1, width)
            found.append(out.index_select(0, torch.from_numpy(np.flatnonzero(present))))
            places.append(padded[present])
        back = np.argsort(np.concatenate(places), kind="stable")
        return torch.cat(found).index_select(0, torch.from_numpy(back))

    def _of(self, name: str) -> Tensor:
        return next(tensor for full, tensor in self.tensors.items() if full.split(".", 3)[3] == name)

    def _linear(self, name: str, rows: Tensor) -> Tensor:
        return linear(rows, self._of(f"{name}.weight"), self._of(f"{name}.bias"))

    def _norm(self, name: str, rows: Tensor) -> Tensor:
        weight, bias = self._of(f"{name}.LayerNorm.weight"), self._of(f"{name}.LayerNorm.bias")
        return layer_norm(rows, (rows.shape[1],), weight, bias, _EPSILON)


def train(
    layer: Layer,
    states: tuple[States, States],
    teacher: tuple[Texts, Texts],
    turn: Floats,
    pairs: NDArray[np.int64],
    near: tuple[NDArray[np.int64], NDArray[np.int64]],
    start: dict[int, Floats],
    settings: Settings,
) -> dict[int, Floats]:
    """Heads by dim, for the layer's rows times `turn`; the layer's tensors change in place.

    states, teacher  of queries and of passages; the others as for `heads.train`
    """
    generator = np.random.default_rng(settings.seed)
    heads = [torch.from_numpy(matrix.copy()).requires_grad_() for matrix in start.values()]
    turned = torch.from_numpy(turn)
    steps = Steps(heads, list(layer.tensors.values()), settings)
    for _ in steps:
        group = draw(generator, pairs, near, settings)
        batch = make_batch(*teacher, group.asked, group.answers, group.joined)
        asked = list(dict.fromkeys(group.asked[::-1, 0].tolist()))  # in the batch's order
        rows = (layer.take(states[0], asked) @ turned, layer.take(states[1], group.answers) @ turned)
        steps.down(losses(batch, rows, heads, steps.scales, settings, labels=group.home))
    return {dim: head.detach().numpy() for dim, head in zip(start, heads, strict=True)}
