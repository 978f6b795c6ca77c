"""Turn a head so that its rows lose less when they are stored as int8.

An orthogonal matrix in front of a head changes no dot product and no length, only which coordinates share a row's
energy. `TokenVectors.quantize` has one step a token, as wide as the row's largest magnitude asks for, so the best
rotation is the one under which that magnitude is small. Found by descent on the mean of a power norm, which stands for
the maximum and has a gradient everywhere, over matrices made orthogonal by the Cayley transform, from several random
starts; the best is chosen by the measured error of the integers, on rows that were not descended on.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from colibri.quantised import quantised_rows

Floats = NDArray[np.float32]

_POWER = 12.0
_ROWS = 4096  # a step


def quantisation_error(rows: Floats) -> float:
    """Root mean square over rows of the length of what int8 loses; rows (n, dim) of length 1."""
    integers, scales = quantised_rows(rows)
    return float(np.sqrt(np.mean(np.sum((integers * scales[:, None] - rows) ** 2, axis=1, dtype=np.float64))))


def random_rotation(dim: int, generator: np.random.Generator) -> Floats:
    """Uniform over orthogonal matrices: the Q of a Gaussian matrix' QR, signs fixed (Mezzadri, math-ph/0609050)."""
    q, r = np.linalg.qr(generator.standard_normal((dim, dim)))
    return np.asarray(q * np.sign(np.diag(r)), np.float32)


def descended(rows: Floats, start: Floats, steps: int, generator: np.random.Generator) -> Floats:
    """A rotation near `start` (dim, dim) under which rows have smaller maxima."""
    dim = len(start)
    begin = torch.from_numpy(start)
    free = torch.zeros(dim, dim, requires_grad=True)
    optimiser = torch.optim.Adam([free], lr=3e-3)
    eye = torch.eye(dim)
    for _ in range(steps):
        chosen = torch.from_numpy(rows[generator.integers(0, len(rows), _ROWS)])
        turned = chosen @ _cayley(free, eye) @ begin.T
        loss = (turned.abs() ** _POWER).mean(1).pow(1 / _POWER).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        found: Floats = (begin @ _cayley(free, eye).T).numpy()
    return found


def best_rotation(rows: Floats, *, starts: int = 1, steps: int = 100, seed: int = 1) -> tuple[Floats, dict[str, float]]:
    """The rotation (dim, dim) that loses least on the last fifth of `rows`, and what each candidate loses there."""
    generator = np.random.default_rng(seed)
    cut = len(rows) * 4 // 5
    learnt, judged = rows[:cut], rows[cut:]
    dim = rows.shape[1]
    candidates = {"none": np.eye(dim, dtype=np.float32)}
    for i in range(starts):
        candidates[f"random {i}"] = random_rotation(dim, generator)
        candidates[f"descended {i}"] = descended(learnt, candidates[f"random {i}"], steps, generator)
    errors = {name: quantisation_error(np.ascontiguousarray(judged @ r.T)) for name, r in candidates.items()}
    return candidates[min(errors, key=lambda name: errors[name])], errors


def _cayley(free: torch.Tensor, eye: torch.Tensor) -> torch.Tensor:
    """Orthogonal matrix (I - S)^-1 (I + S) of the antisymmetric part S of a free one."""
    s = free - free.T
    return torch.linalg.solve(eye - s, eye + s)
