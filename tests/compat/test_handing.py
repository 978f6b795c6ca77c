"""Arrays on their way out of a shim and into one."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pytest

from colibri.compat import Rows, arrays
from colibri.compat.handing import handed, is_tensor, taken
from colibri.errors import InputError, MissingExtra

ARRAY = np.arange(6, dtype=np.float32).reshape(2, 3)
WITH_TORCH = pytest.mark.skipif(find_spec("torch") is None, reason="torch makes the tensors")


@pytest.fixture(autouse=True)
def auto() -> Iterator[None]:
    yield
    arrays("auto")


def test_without_torch_rows_come_out() -> None:
    """In a process of its own: another test of this one may have imported torch."""
    code = """
import sys, numpy as np
from colibri.compat import Rows
from colibri.compat.handing import handed
array = np.arange(6, dtype=np.float32)
found = handed(array)
assert isinstance(found, Rows) and found.numpy() is array and handed(array, "numpy") is array
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_choice_for_the_process_holds_until_the_next() -> None:
    arrays("numpy")
    assert handed(ARRAY) is ARRAY
    assert handed(ARRAY, None) is ARRAY
    arrays("auto")
    assert handed(ARRAY) is not ARRAY


@pytest.mark.parametrize("word", ["jax", "", "Torch", 1])
def test_another_word_is_refused(word: str) -> None:
    for call in (lambda: arrays(word), lambda: handed(ARRAY, word)):  # type: ignore[arg-type]
        with pytest.raises(InputError, match=f"arrays: found {word!r}, wanted 'auto', 'torch', 'numpy'"):
            call()


@pytest.mark.skipif(find_spec("torch") is not None, reason="for machines without torch")
def test_tensors_where_there_is_no_torch_are_a_missing_extra() -> None:
    with pytest.raises(MissingExtra, match="needs torch: pip install torch, or leave it out and get Rows"):
        handed(ARRAY, "torch")


@WITH_TORCH
def test_tensors_come_out_exactly_when_the_program_has_imported_torch() -> None:
    code = """
import sys, numpy as np
from colibri.compat.handing import handed, taken
array = np.arange(6, dtype=np.float32)
closed = array.copy(); closed.flags.writeable = False
assert type(handed(array)).__name__ == "Rows" and "torch" not in sys.modules
import torch
tensor = handed(array)
assert isinstance(tensor, torch.Tensor) and tensor.data_ptr() == array.ctypes.data
assert handed(closed).tolist() == array.tolist()
assert handed(array, "numpy") is array
assert np.shares_memory(taken(tensor), array)
assert taken(tensor.bfloat16()).dtype == np.float32
assert taken([tensor, tensor]).shape == (2, 6)
assert taken(torch.nn.Parameter(tensor)).tolist() == array.tolist()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
    asked = "import sys; from colibri.compat import arrays; arrays('torch'); from colibri.compat.handing import handed;"
    asked += "import numpy; assert type(handed(numpy.ones(2))).__name__ == 'Tensor'"
    subprocess.run([sys.executable, "-c", asked], check=True)


def test_what_comes_in_is_an_array_of_numbers() -> None:
    assert taken(ARRAY) is ARRAY
    assert np.shares_memory(taken(Rows(ARRAY)), ARRAY)
    assert taken([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert taken([ARRAY, ARRAY]).shape == (2, 2, 3)
    assert taken([Rows(ARRAY)]).shape == (1, 2, 3)
    assert taken([[1, 2]], "float32").dtype == np.float32
    assert taken(True).dtype == bool
    assert not is_tensor(ARRAY)


@pytest.mark.parametrize("given", ["text", [[1], [1, 2]], None, ["a"], {"a": 1}, object()])
def test_what_is_no_array_of_numbers_is_refused(given: object) -> None:
    with pytest.raises(InputError, match=f"{type(given).__name__}.*array of numbers"):
        taken(given)
