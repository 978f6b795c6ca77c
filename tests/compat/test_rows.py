"""Rows: torch's words over one array. Values come from plain loops; where torch is installed, from torch as well."""

import copy
import math
import pickle
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from colibri.compat import NotHere, Rows
from colibri.compat.reductions import Pair
from colibri.errors import ColibriError, InputError, ShapeError

CUBE = np.random.default_rng(7).standard_normal((2, 4, 3)).astype(np.float32)
CUBE[1, 2:] = 0

# What public code does with the rows of a checkpoint, and a neighbour of each.
CALLS: dict[str, Callable[[Any], Any]] = {
    "cpu": lambda x: x.cpu().detach().contiguous(),
    "numpy": lambda x: x.numpy(),
    "float of half": lambda x: x.half().float(),
    "half": lambda x: x.half(),
    "double": lambda x: x.double(),
    "long": lambda x: (x * 10).long(),
    "int": lambda x: (x * 10).int(),
    "bool": lambda x: x.bool(),
    "to cpu": lambda x: x.to("cpu"),
    "clone": lambda x: x.clone(),
    "tolist": lambda x: x.tolist(),
    "first": lambda x: x[0],
    "some of one": lambda x: x[1, :2],
    "last axis": lambda x: x[..., -1],
    "by list": lambda x: x[[1, 0]],
    "new axis": lambda x: x[None].shape,
    "by mask": lambda x: x[x > 0],
    "iteration": lambda x: [part.shape for part in x],
    "shape": lambda x: tuple(x.shape),
    "size": lambda x: (tuple(x.size()), x.size(0), x.size(-1)),
    "dim": lambda x: (x.dim(), x.ndim, x.numel(), x.element_size(), len(x)),
    "kind": lambda x: (x.is_contiguous(), x.transpose(0, 1).is_contiguous(), x.is_floating_point(), x.is_cuda),
    "unsqueeze": lambda x: x.unsqueeze(0),
    "unsqueeze last": lambda x: x.unsqueeze(-1),
    "squeeze": lambda x: x[:1].squeeze(),
    "squeeze one": lambda x: x[:1].squeeze(0),
    "squeeze none": lambda x: x.squeeze(1),
    "transpose": lambda x: x.transpose(1, 2),
    "permute": lambda x: x.permute(0, 2, 1),
    "permute tuple": lambda x: x.permute((2, 0, 1)),
    "T": lambda x: x[0].T,
    "mT": lambda x: x.mT,
    "t": lambda x: x[0].t(),
    "view": lambda x: x.view(-1, 3),
    "reshape": lambda x: x.reshape((3, 8)),
    "flatten": lambda x: x.flatten(),
    "flatten some": lambda x: x.flatten(0, 1),
    "expand": lambda x: x[:1].expand(5, -1, -1),
    "matmul": lambda x: x[0] @ x[1].T,
    "batched": lambda x: x @ x.permute(0, 2, 1),
    "MaxSim": lambda x: (x[0] @ x[1].T).max(1).values.sum(),
    "MaxSim of many": lambda x: (x @ x[:1].transpose(1, 2)).max(dim=2).values.sum(dim=-1),
    "max": lambda x: x.max(),
    "max keeps": lambda x: x.max(dim=1, keepdim=True).values,
    "max places": lambda x: x.max(-1)[1],
    "max of two": lambda x: x.max(-x),
    "min": lambda x: x.min(1).values,
    "sum": lambda x: x.sum(),
    "sum dim": lambda x: x.sum(dim=1),
    "sum dims": lambda x: x.sum((0, 2)),
    "sum axis": lambda x: x.sum(axis=1),
    "sum of truths": lambda x: (x == 0).sum(),
    "mean": lambda x: x.mean(dim=-1),
    "norm": lambda x: x.norm(dim=-1),
    "norm of all": lambda x: x.norm(),
    "norm 1": lambda x: x.norm(p=1, dim=-1, keepdim=True),
    "norm inf": lambda x: x.norm(math.inf, dim=-1),
    "mask": lambda x: ~(x == 0).all(-1),
    "mask by norm": lambda x: x.norm(dim=-1) > 0,
    "any": lambda x: (x != 0).any(dim=-1),
    "count_nonzero": lambda x: x.count_nonzero(),
    "count_nonzero dim": lambda x: x.count_nonzero(dim=-1),
    "argmax": lambda x: x.argmax(dim=1),
    "argmax of all": lambda x: x.argmax(),
    "argmin": lambda x: x.argmin(-1),
    "topk": lambda x: x[0, :, 0].topk(2).values,
    "topk places": lambda x: x.topk(2, dim=1).indices,
    "topk least": lambda x: x[0].topk(1, dim=0, largest=False)[0],
    "sort": lambda x: x.sort(dim=1, descending=True).values,
    "argsort": lambda x: x[0].argsort(dim=0),
    "abs": lambda x: x.abs().sqrt(),
    "abs of it": lambda x: abs(x) + +x,
    "amax": lambda x: x.amax(dim=-1),
    "amax of two, kept": lambda x: x.amax((0, 2), keepdim=True),
    "amin": lambda x: x.amin(1),
    "clamp": lambda x: x.clamp(min=-0.5, max=0.5),
    "masked_fill": lambda x: x.masked_fill(x == 0, -9999),
    "nonzero": lambda x: x[1].nonzero(),
    "arithmetic": lambda x: (1 - x) * 2 / (x + 4) - x**2 + (-x),
    "whole": lambda x: (x * 10).long() % 7 + (x * 10).long() // 3,
    "truths": lambda x: ((x > 0) & (x < 1)) | (x == 0) ^ (x <= -1),
    "compare": lambda x: x.ge(0).eq(x.lt(0)),
    "item": lambda x: x[0, 0, 0].item(),
    "number": lambda x: (float(x[0, 0, 0]), int(x[0, 0, 0] * 100), bool(x[0, 0, 0] > 0)),
    "formatted": lambda x: f"{x.max():.3f}",
    "contains": lambda x: 0 in x,
}


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is what they are compared with")
def test_every_word_means_what_torch_means() -> None:
    import torch

    assert {name: same(call, torch) for name, call in CALLS.items()} == dict.fromkeys(CALLS, True)


def same(call: Callable[[Any], Any], torch: Any) -> bool:
    found, wanted = call(Rows(CUBE.copy())), call(torch.from_numpy(CUBE.copy()))
    if isinstance(wanted, torch.Tensor):
        assert isinstance(found, Rows)
        alike = found.shape == tuple(wanted.shape) and str(wanted.dtype) == f"torch.{found.dtype}"
        return alike and np.allclose(found.numpy(), wanted.numpy(), rtol=1e-6, atol=1e-6)
    return np.array_equal(found, wanted) if isinstance(wanted, np.ndarray) else bool(found == wanted)


def test_reductions_are_what_loops_give() -> None:
    rows = Rows(CUBE)
    documents, tokens, width = CUBE.shape
    for d in range(documents):
        for t in range(tokens):
            one = [float(value) for value in CUBE[d, t]]
            assert math.isclose(float(rows.norm(dim=-1)[d, t]), math.sqrt(sum(x * x for x in one)), rel_tol=1e-6)
            assert float(rows.max(2).values[d, t]) == max(one)
            assert int(rows.max(dim=2).indices[d, t]) == one.index(max(one))
            assert math.isclose(float(rows.sum(dim=2)[d, t]), sum(one), rel_tol=1e-5, abs_tol=1e-6)
            assert bool((rows == 0).all(-1)[d, t]) == all(x == 0 for x in one)
        for w in range(width):
            column = [float(CUBE[d, t, w]) for t in range(tokens)]
            order = sorted(range(tokens), key=lambda t: (-column[t], t))
            assert rows.sort(dim=1, descending=True).indices[d, :, w].tolist() == order
            assert rows.topk(2, dim=1).values[d, :, w].tolist() == [column[t] for t in order[:2]]


@pytest.mark.parametrize("name", [name for name in CALLS if name not in ("numpy", "mask by norm")])
def test_every_word_answers_without_torch(name: str) -> None:
    found = CALLS[name](Rows(CUBE.copy()))
    assert found is not None
    assert not isinstance(found, np.ndarray)  # Rows, numbers, lists: never a numpy array where torch gives a tensor


def test_numpy_takes_rows_as_they_are() -> None:
    rows = Rows(CUBE)
    assert np.shares_memory(np.asarray(rows), CUBE)
    assert np.shares_memory(np.from_dlpack(rows), CUBE)
    assert rows.__dlpack_device__() == CUBE.__dlpack_device__()
    assert np.array_equal(np.matmul(rows, CUBE.transpose(0, 2, 1)), CUBE @ CUBE.transpose(0, 2, 1))
    assert np.stack([rows, rows]).shape == (2, 2, 4, 3)
    assert np.asarray(rows, np.float64).dtype == np.float64
    copied = np.array(rows, copy=True)
    assert not np.shares_memory(copied, CUBE)
    with pytest.raises(ValueError, match="without a copy"):
        rows.__array__(np.float64, copy=False)
    assert isinstance(CUBE[0] @ rows[1].T, Rows)
    assert isinstance(2 * rows, Rows)


NUMPY: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: np.sum(x, axis=-1),
    "sum kept": lambda x: np.sum(x, axis=(0, 1), keepdims=True),
    "mean": np.mean,
    "std": lambda x: np.std(x, axis=1, ddof=1),
    "max": lambda x: np.max(x, axis=1),
    "min": np.min,
    "prod": np.prod,
    "any": lambda x: np.any(x, axis=-1),
    "all": np.all,
    "argmax": lambda x: np.argmax(x, axis=2),
    "argsort": lambda x: np.argsort(x, axis=0),
    "sort": lambda x: np.sort(x, axis=1),
    "size": np.size,
    "shape": lambda x: (*np.shape(x), np.ndim(x)),
    "squeeze": lambda x: np.squeeze(x[:1], axis=0),
    "transpose": lambda x: np.transpose(x, (0, 2, 1)),
    "reshape": lambda x: np.reshape(x, (-1, 3), order="F"),
    "ravel": np.ravel,
    "clip": lambda x: np.clip(x, 0, 1),
    "round": lambda x: np.round(x, 2),
    "take": lambda x: np.take(x, [1, 0], axis=1),
    "repeat": lambda x: np.repeat(x, 2, axis=0),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "nonzero": lambda x: np.nonzero(x)[0],
    "concatenate": lambda x: np.concatenate([x, x], axis=1),
    "stack": lambda x: np.vstack((x[0], x[1])),
    "pad": lambda x: np.pad(x, ((0, 0), (0, 1), (0, 0))),
    "where": lambda x: np.where(x == 0, -1, x),
    "einsum": lambda x: np.einsum("qd,td->qt", x[0], x[1]),
    "norm": lambda x: np.linalg.norm(x, axis=-1),
    "MaxSim": lambda x: np.sum(np.max(np.matmul(x[0], np.transpose(x[1])), axis=1)),
    "allclose": lambda x: np.allclose(x, x),
    "mean of two": lambda x: np.average(x, axis=0, weights=[1, 3]),
    "copy": np.copy,
}


def test_numpy_s_functions_mean_the_same_of_rows() -> None:
    for name, call in NUMPY.items():
        found, wanted = call(Rows(CUBE)), call(CUBE)
        assert not isinstance(found, Rows), name
        assert np.array_equal(found, wanted), name
        assert type(found) is type(wanted), name


def test_views_share_memory_and_writing_reaches_it() -> None:
    array = CUBE.copy()
    rows = Rows(array)
    views = [rows[0], rows.T, rows.view(-1), rows.unsqueeze(0), rows.permute(2, 0, 1), rows.float(), rows.cpu()]
    for view in views:
        assert np.shares_memory(view.numpy(), array)
    assert rows.float() is rows
    rows[0, 0] = 5
    assert array[0, 0].tolist() == [5, 5, 5]
    rows[rows > 4] = Rows(np.float32(1))
    assert array[0, 0].tolist() == [1, 1, 1]
    assert not np.shares_memory(rows.clone().numpy(), array)


def test_rows_of_rows_are_rows_once() -> None:
    assert Rows(Rows(CUBE)).numpy() is CUBE


def test_rows_live_in_sets_copies_and_pickles() -> None:
    rows = Rows(CUBE)
    assert len({rows, rows, Rows(CUBE)}) == 2
    for other in (pickle.loads(pickle.dumps(rows)), copy.deepcopy(rows)):  # noqa: S301 - our own bytes
        assert np.array_equal(other.numpy(), CUBE)
    assert repr(Rows(np.ones((1, 2), np.float32))) == "Rows([[1., 1.]], dtype=float32)"


def test_what_needs_a_gpu_or_gradients_is_not_here() -> None:
    rows = Rows(CUBE)
    moves: list[Callable[[], Rows]] = [
        rows.cuda,
        lambda: rows.to("cuda"),
        lambda: rows.to("cuda:0"),
        lambda: rows.to(device="mps"),
    ]
    for move in moves:
        with pytest.raises(NotHere, match=r"cuda\(\) of Rows is not here, because they are numpy's memory") as caught:
            move()
        assert isinstance(caught.value, ColibriError)
        assert isinstance(caught.value, NotImplementedError)


def test_mistakes_are_said() -> None:
    rows = Rows(CUBE)
    with pytest.raises(InputError, match="topk: k is 9, there are 3"):
        rows.topk(9)
    with pytest.raises(InputError, match="dtype: 'complex7' is none that numpy has"):
        rows.to("complex7")
    with pytest.raises(ShapeError, match="mean: found bool, wanted floats"):
        (rows > 0).mean()
    with pytest.raises(ValueError, match="more than one"):
        bool(rows)
    assert not hasattr(rows, "backward")


def test_pairs_are_read_as_torch_s_are() -> None:
    values, indices = Rows(CUBE).max(dim=1)
    assert isinstance(Rows(CUBE).max(dim=1), Pair)
    assert values.shape == indices.shape == (2, 3)


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is what takes them")
def test_torch_takes_rows_as_tensors() -> None:
    import torch

    assert "torch" in sys.modules
    rows, tensor = Rows(CUBE), torch.from_numpy(CUBE)
    for made in (torch.as_tensor(rows), torch.asarray(rows), torch.from_dlpack(rows)):
        assert torch.equal(made, tensor)
        assert made.data_ptr() == CUBE.ctypes.data
    same: list[tuple[Any, Any]] = [
        (torch.tensor(rows), tensor),
        (torch.matmul(rows, tensor.mT), tensor @ tensor.mT),
        (torch.stack([rows, rows]), torch.stack([tensor, tensor])),
        (torch.cat([rows, tensor]), torch.cat([tensor, tensor])),
        (torch.einsum("ntd,mtd->nm", rows, tensor), torch.einsum("ntd,mtd->nm", tensor, tensor)),
        (torch.nn.functional.normalize(rows, dim=-1), torch.nn.functional.normalize(tensor, dim=-1)),
        (
            torch.nn.utils.rnn.pad_sequence([rows[0], rows[1, :2]]),
            torch.nn.utils.rnn.pad_sequence([*tensor[:1], tensor[1, :2]]),
        ),
        (torch.norm(rows, dim=-1), torch.norm(tensor, dim=-1)),
        (tensor @ rows.mT, tensor @ tensor.mT),
        (rows @ tensor.mT, tensor @ tensor.mT),
        (rows - tensor, tensor - tensor),
        (1 - rows.to(torch.float16).float(), 1 - tensor.half().float()),
    ]
    for found, wanted in same:
        assert torch.equal(torch.as_tensor(found), wanted)


def test_axes_that_run_backwards_survive() -> None:
    assert np.array_equal(Rows(CUBE[::-1]).contiguous().numpy(), CUBE[::-1])
