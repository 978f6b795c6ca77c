"""What Hugging Face's code answers for a checkpoint: whole rows, a padded batch, an expanded query.

Also how the checkpoints' random weights are drawn, and the writing of files.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from transformers import PreTrainedModel

Head = Callable[[torch.Tensor], torch.Tensor]

NORMS = ("LayerNorm.weight", "norm.weight", "norm1.weight", "norm2.weight", "emb_ln.weight")


@dataclass(frozen=True, kw_only=True)
class Oracle:
    """One checkpoint's model and heads as others' code loads them, and which lengths to ask it for."""

    name: str
    model: PreTrainedModel
    heads: dict[int, Head]
    """Dim -> hidden states (batch, tokens, hidden) to rows (batch, tokens, dim), not normalised."""
    start: int
    end: int
    pad: int
    mask: int
    vocabulary: int
    seed: int
    lengths: Sequence[int]
    masked_lengths: Sequence[int] = (5, 11, 20)
    expanded: int = 16
    unattended: int = 6
    """A query of `expanded` ids, of which the last `unattended` are mask tokens that nobody attends to."""


def random_tensor(
    rng: np.random.Generator, name: str, shape: tuple[int, ...], scales: dict[str, float]
) -> torch.Tensor:
    """A random weight, scaled by what it is for, so that tokens are really mixed, but not made alike.

    scales: part of a name -> standard deviation, the first that is found counts. Of a fused Wqkv the last third, the
    values, gets half of it.
    """
    if name.endswith(NORMS):
        values = rng.uniform(0.8, 1.2, shape)
    elif name.endswith(".bias"):
        values = rng.normal(0.0, 0.1, shape)
    else:
        values = rng.normal(0.0, next(scale for part, scale in scales.items() if part in name), shape)
    if name.endswith("Wqkv.weight"):
        values[2 * len(values) // 3 :] /= 2
    return torch.from_numpy(values.astype(np.float32))


def write_json(path: Path, content: object) -> None:
    """Write indented JSON with a newline at its end."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """Write a safetensors file, marked as transformers marks its own."""
    path.write_bytes(save(tensors, metadata={"format": "pt"}))


def linear(weight: torch.Tensor) -> Head:
    """A head without bias: weight (dim, hidden)."""
    return lambda hidden: hidden @ weight.float().T


def random_ids(oracle: Oracle, rng: np.random.Generator, length: int) -> torch.Tensor:
    """Ids [1, length] without padding, from the start token to (if there is room) the end token."""
    ids = rng.choice(np.delete(np.arange(oracle.vocabulary), oracle.pad), length)
    ids[-1], ids[0] = oracle.end, oracle.start
    return torch.from_numpy(ids.astype(np.int64))[None]


@torch.no_grad()
def golden_outputs(oracle: Oracle) -> dict[str, torch.Tensor]:
    """Run the model on random ids. Raises RuntimeError when its rows ignore a token or are nearly the same."""
    model, rng = oracle.model, np.random.default_rng(oracle.seed + 1000)
    out: dict[str, torch.Tensor] = {}
    for n in oracle.lengths:
        ids = random_ids(oracle, rng, n)
        hidden = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        out |= {f"ids_{n}": ids, f"hidden_{n}": hidden}
        for dim, head in oracle.heads.items():
            out[f"tokens_{dim}_{n}"] = torch.nn.functional.normalize(head(hidden), dim=-1, eps=1e-12)
    masked = torch.full((len(oracle.masked_lengths), max(oracle.masked_lengths)), oracle.pad)
    for row, n in enumerate(oracle.masked_lengths):
        masked[row, :n] = random_ids(oracle, rng, n)
    expanded = torch.full((1, oracle.expanded), oracle.mask)
    expanded[:, : -oracle.unattended] = random_ids(oracle, rng, oracle.expanded - oracle.unattended)
    attended = (torch.arange(oracle.expanded) < oracle.expanded - oracle.unattended)[None]
    cases = {"masked": (masked, masked != oracle.pad), "expanded": (expanded, attended)}
    for name, (ids, mask) in cases.items():
        hidden = model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        out |= {f"{name}_ids": ids, f"{name}_mask": mask.long(), f"{name}_hidden": hidden}
    changed = (out["ids_33"] + 7 * torch.eye(33, dtype=torch.int64)) % oracle.vocabulary
    moved = (model(input_ids=changed).last_hidden_state - out["hidden_33"]).abs().amax(-1).min()
    rows = out[f"tokens_{max(oracle.heads)}_33"][0]
    alike = (rows @ rows.T).mean()
    if moved < 0.01 or alike > 0.9:
        raise RuntimeError(f"{oracle.name}: rows ignore a token ({moved}) or are nearly the same ({alike})")
    if not all(torch.isfinite(array).all() for array in out.values()):
        raise RuntimeError(f"{oracle.name}: not finite")
    return out


@torch.no_grad()
def must_differ(oracle: Oracle, out: dict[str, torch.Tensor], wrong: PreTrainedModel, what: str) -> None:
    """Raise RuntimeError unless the same weights read in a wrong way are far off on the longest row."""
    ids, n = out[f"ids_{max(oracle.lengths)}"], max(oracle.lengths)
    off = (wrong(input_ids=ids).last_hidden_state - out[f"hidden_{n}"]).abs().max()
    print(f"{oracle.name}: {what} moves a value by {off:.2f}")  # noqa: T201
    if off < 0.5:
        raise RuntimeError(f"{oracle.name}: {what} would not be noticed ({off})")
