"""Train heads: matrices from the backbone's 384 dims to 128, 96 and 64 whose MaxSim ranks as that of all 384 does.

The teacher is the backbone itself: MaxSim of its own rows, whole. A group is a seed pair, pairs whose passages lie near
its query, and some others; all its queries meet all its passages. What is learnt is

    tokens   how each query token's best similarity differs from passage to passage (squared error, centred)
    scores   the same of their sums
    ranks    the teacher's distribution over the passages (Kullback-Leibler)
    labels   which passage is the query's own (cross entropy; little of it)
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax, normalize

Floats = NDArray[np.float32]

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Of one training; the defaults are those of the shipped heads."""

    steps: int = 300
    groups: int = 3  # a step
    near: int = 7  # of the nearest passages' pairs, in a group beside its seed
    strangers: int = 4  # any pairs
    learning_rate: float = 1e-2
    tokens: float = 1.0
    scores: float = 1.0
    ranks: float = 1.0
    labels: float = 0.0
    temperature: float = 0.02  # of the teacher's mean similarity a token
    label_temperature: float = 0.02
    seed: int = 1


@dataclass(frozen=True)
class Texts:
    """Rows of texts end to end: (tokens, 384) float16 and (n + 1,) starts."""

    rows: NDArray[np.float16]
    starts: NDArray[np.int64]

    def take(self, which: Sequence[int]) -> tuple[Tensor, NDArray[np.int64]]:
        """Rows of some texts in float32, and how many each has."""
        parts = [self.rows[self.starts[i] : self.starts[i + 1]] for i in which]
        return torch.from_numpy(np.concatenate(parts).astype(np.float32)), np.array([len(part) for part in parts])


@dataclass(frozen=True)
class Batch:
    """Queries' rows end to end, and passages' padded to one length."""

    queries: Tensor  # (q, 384)
    owner: Tensor  # (q,) which query
    passages: Tensor  # (d, 384) end to end
    padded: Tensor  # (n, longest) place among the passages' rows
    present: Tensor  # (n, longest) bool
    target: Tensor  # (queries,) own passage


def make_batch(queries: Texts, passages: Texts, asked: Sequence[int], answers: Sequence[int]) -> Batch:
    """All of `asked` against all distinct `answers`."""
    distinct = list(dict.fromkeys(answers))
    rows, lengths = queries.take(asked)
    passage_rows, passage_lengths = passages.take(distinct)
    firsts = np.cumsum(passage_lengths) - passage_lengths
    steps = np.arange(passage_lengths.max())
    present = steps < passage_lengths[:, None]
    place = {answer: i for i, answer in enumerate(distinct)}
    return Batch(
        rows,
        torch.from_numpy(np.repeat(np.arange(len(asked)), lengths)),
        passage_rows,
        torch.from_numpy(np.where(present, firsts[:, None] + steps, 0)),
        torch.from_numpy(present),
        torch.tensor([place[answer] for answer in answers]),
    )


def best(batch: Batch, queries: Tensor, passages: Tensor) -> Tensor:
    """Similarity of each query token with its best token of each passage: (q, n), differentiable in unit rows."""
    similarities = queries @ passages.T
    with torch.no_grad():  # only the best get gradients: no need to keep the padded copy
        padded = similarities[:, batch.padded.reshape(-1)].reshape(len(queries), *batch.padded.shape)
        found = padded.masked_fill_(~batch.present, -2).argmax(2)
        chosen = batch.padded.expand(len(queries), -1, -1).gather(2, found[:, :, None])[:, :, 0]
    return similarities.gather(1, chosen)


def summed(batch: Batch, maxima: Tensor) -> Tensor:
    """Mean over each query's tokens: (queries, n)."""
    n = len(batch.target)
    sums = torch.zeros(n, maxima.shape[1]).index_add_(0, batch.owner, maxima)
    return sums / torch.bincount(batch.owner, minlength=n)[:, None]


def centred_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Squared error of how rows differ from their means, as a share of the wanted differences."""
    found, wanted = (x - x.mean(1, keepdim=True) for x in (found, wanted))
    return ((found - wanted) ** 2).sum() / (wanted**2).sum()


def losses(batch: Batch, heads: Sequence[Tensor], scales: Sequence[Tensor], settings: Settings) -> Tensor:
    """The sum over heads. scales: log of how much larger the teacher's differences are, learnt along."""
    with torch.no_grad():
        wanted = best(batch, batch.queries, batch.passages)
        wanted_scores = summed(batch, wanted)
        ranks = log_softmax(wanted_scores / settings.temperature, 1)
    total = torch.zeros(())
    for head, scale in zip(heads, scales, strict=True):
        found = best(batch, normalize(batch.queries @ head.T), normalize(batch.passages @ head.T)) * scale.exp()
        scores = summed(batch, found)
        total = total + settings.tokens * centred_error(found, wanted)
        total = total + settings.scores * centred_error(scores, wanted_scores)
        own = log_softmax(scores / settings.temperature, 1)
        total = total + settings.ranks * kl_div(own, ranks, log_target=True, reduction="batchmean")
        if settings.labels:
            total = total + settings.labels * cross_entropy(scores / settings.label_temperature, batch.target)
    return total


def neighbours(queries: Floats, passages: Floats, answers: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """For each pair, the pairs whose passages lie nearest to its query, not its own: (pairs, most).

    queries, passages  a unit vector a pair; answers: passage of each pair
    """
    found = np.empty((len(queries), most), np.int64)
    for first in range(0, len(queries), 1024):
        similar = queries[first : first + 1024] @ passages.T
        similar[answers[first : first + 1024, None] == answers[None, :]] = -2
        found[first : first + 1024] = np.argpartition(-similar, most, axis=1)[:, :most]
    return found


def train(
    queries: Texts,
    passages: Texts,
    pairs: NDArray[np.int64],
    near: NDArray[np.int64],
    start: dict[int, Floats],
    settings: Settings,
) -> dict[int, Floats]:
    """Heads by dim. pairs (n, 2): query and passage of each; near (n, most): see `neighbours`."""
    generator = np.random.default_rng(settings.seed)
    torch.manual_seed(settings.seed)
    heads = [torch.from_numpy(matrix.copy()).requires_grad_() for matrix in start.values()]
    scales = [torch.zeros((), requires_grad=True) for _ in heads]
    optimiser = torch.optim.Adam([*heads, *scales], lr=settings.learning_rate, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=settings.steps, pct_start=0.05
    )
    recent = []
    for step in range(settings.steps):
        optimiser.zero_grad()
        for seed in generator.choice(len(pairs), settings.groups, replace=False):
            others = generator.choice(near[seed], settings.near, replace=False)
            strangers = generator.choice(len(pairs), settings.strangers, replace=False)
            chosen = list(dict.fromkeys([int(seed), *others.tolist(), *strangers.tolist()]))
            batch = make_batch(queries, passages, pairs[chosen, 0].tolist(), pairs[chosen, 1].tolist())
            loss = losses(batch, heads, scales, settings) / settings.groups
            loss.backward()
            recent.append(float(loss.detach()) * settings.groups)
        optimiser.step()
        schedule.step()
        if step % 50 == 49:
            shown = [round(float(scale.detach().exp()), 3) for scale in scales]
            log.info("step %d: loss %.4f, scales %s", step + 1, np.mean(recent[-50 * settings.groups :]), shown)
    return {dim: head.detach().numpy() for dim, head in zip(start, heads, strict=True)}
