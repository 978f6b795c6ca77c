"""Train heads: matrices from the backbone's 384 dims to 128, 96 and 64 whose MaxSim ranks as that of all 384 does.

The teacher is the backbone itself: MaxSim of its own rows, whole, with the query weights that ship. A group is a seed
pair, pairs whose passages lie near its query (by turns in any language, and in the seed's own), and some others; the
first pairs' queries meet all passages. In half of the groups three passages at a time are one document, since those of
a collection are longer than most passages here. What is learnt is

    tokens   how each query token's best similarity differs from document to document (squared error, centred)
    scores   the same of their weighted means
    ranks    the teacher's distribution over the documents (Kullback-Leibler)
    labels   a little of it, and where the near pairs are in one language: which document has the query's own passage
"""

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax, normalize
from tqdm import tqdm

Floats = NDArray[np.float32]

log = logging.getLogger(__name__)

_SCALES_RATE = 1e-2


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Of one training; the defaults are those of the shipped heads."""

    steps: int = 10_000  # a group each
    near: int = 24  # of the nearest passages' pairs, in a group beside its seed
    strangers: int = 8  # any pairs
    queries: int = 12  # of the group's first pairs
    joined: int = 3  # passages that are one document in half of the groups
    learning_rate: float = 5e-4  # at 3e-3 the loss rises above the start's, and never makes up for it
    layer_rate: float = 1e-4  # of the last layer's weights, where they are learnt
    tokens: float = 1.0
    scores: float = 1.0
    ranks: float = 1.0
    labels: float = 0.1
    temperature: float = 0.02  # of the mean similarity a token
    seed: int = 1


@dataclass(frozen=True)
class Texts:
    """Rows of texts end to end: (tokens, 384) float16, (n + 1,) starts, and (tokens,) what each row weighs."""

    rows: NDArray[np.float16]
    starts: NDArray[np.int64]
    weights: Floats

    def take(self, which: Sequence[int]) -> tuple[Tensor, Tensor, NDArray[np.int64]]:
        """Rows of some texts in float32, their weights, and how many each text has."""
        places = [np.arange(self.starts[i], self.starts[i + 1]) for i in which]
        own = np.concatenate(places)
        rows, weights = torch.from_numpy(self.rows[own].astype(np.float32)), torch.from_numpy(self.weights[own])
        return rows, weights, np.array([len(place) for place in places])


@dataclass(frozen=True)
class Batch:
    """Queries' rows end to end, and documents' with where each has its own."""

    queries: Tensor  # (q, 384)
    weights: Tensor  # (q,), of each query's tokens 1 together
    owner: Tensor  # (q,) which query
    documents: Tensor  # (d, 384) end to end
    padded: Tensor  # (n, longest) place among the documents' rows
    present: Tensor  # (n, longest) bool
    target: Tensor  # (queries,) the document with its own passage


def make_batch(queries: Texts, passages: Texts, asked: NDArray[np.int64], answers: Sequence[int], joined: int) -> Batch:
    """The queries of some pairs (n, 2) against passages, theirs among them, of which so many are a document."""
    document_of = {answer: i // joined for i, answer in enumerate(answers)}
    own = {query: document_of[answer] for query, answer in reversed(asked.tolist())}
    rows, weights, lengths = queries.take(list(own))
    owner = torch.from_numpy(np.repeat(np.arange(len(own)), lengths))
    sums = torch.zeros(len(own)).index_add_(0, owner, weights)
    passage_rows, _, passage_lengths = passages.take(answers)
    document_lengths = np.add.reduceat(passage_lengths, np.arange(0, len(answers), joined))
    firsts = np.cumsum(document_lengths) - document_lengths
    steps = np.arange(document_lengths.max())
    present = steps < document_lengths[:, None]
    return Batch(
        rows,
        weights / sums[owner],
        owner,
        passage_rows,
        torch.from_numpy(np.where(present, firsts[:, None] + steps, 0)),
        torch.from_numpy(present),
        torch.tensor(list(own.values())),
    )


def best(batch: Batch, queries: Tensor, documents: Tensor) -> Tensor:
    """Similarity of each query token with its best token of each document: (q, n), differentiable in unit rows."""
    similarities = queries @ documents.T
    with torch.no_grad():  # only the best get gradients: no need to keep the padded copy
        padded = similarities[:, batch.padded.reshape(-1)].reshape(len(queries), *batch.padded.shape)
        found = padded.masked_fill_(~batch.present, -2).argmax(2)
        chosen = batch.padded.expand(len(queries), -1, -1).gather(2, found[:, :, None])[:, :, 0]
    return similarities.gather(1, chosen)


def summed(batch: Batch, maxima: Tensor) -> Tensor:
    """Weighted mean over each query's tokens: (queries, n)."""
    return torch.zeros(len(batch.target), maxima.shape[1]).index_add_(0, batch.owner, maxima * batch.weights[:, None])


def centred_error(found: Tensor, wanted: Tensor, weights: Tensor | float = 1.0) -> Tensor:
    """Squared error of how rows differ from their means, as a share of the wanted differences."""
    found, wanted = (x - x.mean(1, keepdim=True) for x in (found, wanted))
    return ((found - wanted) ** 2 * weights).sum() / (wanted**2 * weights).sum()


def losses(
    batch: Batch,
    rows: tuple[Tensor, Tensor],
    heads: Sequence[Tensor],
    scales: Sequence[Tensor],
    settings: Settings,
    *,
    labels: bool,
) -> Tensor:
    """The sum over heads. rows: what they are applied to, of any length, for the batch's queries and documents.
    scales: log of how much larger the teacher's differences are, learnt along."""
    with torch.no_grad():
        wanted = best(batch, batch.queries, batch.documents)
        wanted_scores = summed(batch, wanted)
        ranks = log_softmax(wanted_scores / settings.temperature, 1)
    queries, documents = rows
    total = torch.zeros(())
    for head, scale in zip(heads, scales, strict=True):
        found = best(batch, normalize(queries @ head.T), normalize(documents @ head.T)) * scale.exp()
        scores = summed(batch, found)
        total = total + settings.tokens * centred_error(found, wanted, batch.weights[:, None])
        total = total + settings.scores * centred_error(scores, wanted_scores)
        own = log_softmax(scores / settings.temperature, 1)
        total = total + settings.ranks * kl_div(own, ranks, log_target=True, reduction="batchmean")
        if labels:
            total = total + settings.labels * cross_entropy(scores / settings.temperature, batch.target)
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


@dataclass(frozen=True)
class Group:
    """What one step learns from."""

    asked: NDArray[np.int64]  # (n, 2): query and passage of the pairs whose queries are asked
    answers: list[int]  # passages
    joined: int  # of them at a time, one document
    home: bool  # the near pairs are in the seed's language


def draw(
    generator: np.random.Generator,
    pairs: NDArray[np.int64],
    near: tuple[NDArray[np.int64], NDArray[np.int64]],
    settings: Settings,
) -> Group:
    """A group at random; arguments as of `train`."""
    anywhere, at_home = near
    seed = int(generator.integers(len(pairs)))
    home = bool(generator.random() < 0.5 and at_home[seed, 0] >= 0)
    others = generator.choice((at_home if home else anywhere)[seed], settings.near, replace=False)
    strangers = generator.choice(len(pairs), settings.strangers, replace=False)
    group = pairs[list(dict.fromkeys([seed, *others.tolist(), *strangers.tolist()]))]
    answers, joined = np.unique(group[:, 1]), 1
    if generator.random() < 0.5:
        answers, joined = generator.permutation(answers), settings.joined
    return Group(group[: settings.queries], answers.tolist(), joined, home)


def train(
    queries: Texts,
    passages: Texts,
    pairs: NDArray[np.int64],
    near: tuple[NDArray[np.int64], NDArray[np.int64]],
    start: dict[int, Floats],
    settings: Settings,
) -> dict[int, Floats]:
    """Heads by dim. pairs (n, 2): query and passage of each; near: `neighbours` in any language, and in a pair's own
    (-1 where there are too few)."""
    generator = np.random.default_rng(settings.seed)
    heads = [torch.from_numpy(matrix.copy()).requires_grad_() for matrix in start.values()]
    steps = Steps(heads, (), settings)
    for _ in steps:
        group = draw(generator, pairs, near, settings)
        batch = make_batch(queries, passages, group.asked, group.answers, group.joined)
        steps.down(losses(batch, (batch.queries, batch.documents), heads, steps.scales, settings, labels=group.home))
    return {dim: head.detach().numpy() for dim, head in zip(start, heads, strict=True)}


class Steps:
    """The optimiser, its rates, and what is said meanwhile."""

    def __init__(self, heads: Sequence[Tensor], layer: Sequence[Tensor], settings: Settings) -> None:
        """layer: weights that learn at `layer_rate`."""
        self.scales = [torch.zeros((), requires_grad=True) for _ in heads]
        self._settings = settings
        groups: list[dict[str, object]] = [{"params": list(heads)}, {"params": self.scales, "lr": _SCALES_RATE}]
        if layer:
            groups.append({"params": list(layer), "lr": settings.layer_rate})
        self._optimiser = torch.optim.Adam(groups, lr=settings.learning_rate, betas=(0.9, 0.99))
        rates = [self._share_of_rate, lambda _: 1.0, self._share_of_rate][: len(groups)]
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimiser, rates)
        self._recent: list[float] = []

    def __iter__(self) -> Iterator[int]:
        for step in tqdm(range(self._settings.steps), "training", disable=None):
            yield step
            if step % 1000 == 999:
                shown = [round(float(scale.detach().exp()), 3) for scale in self.scales]
                log.info("step %d: loss %.4f, scales %s", step + 1, np.mean(self._recent[-1000:]), shown)

    def down(self, loss: Tensor) -> None:
        """One step."""
        self._optimiser.zero_grad()
        loss.backward()
        self._optimiser.step()
        self._schedule.step()
        self._recent.append(float(loss.detach()))

    def _share_of_rate(self, step: int) -> float:
        """Up within a twentieth of the steps, then down half a cosine."""
        done = step / self._settings.steps
        return min(1.0, done / 0.05 + 0.02) * 0.5 * (1 + math.cos(math.pi * done))
