"""How arrays leave a shim and come into one: as tensors where the caller uses torch, as `Rows` where he does not.

No shim imports torch. Whoever calls torch's functions has imported it; whoever has not cannot.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, get_args

from colibri.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays = Literal["auto", "torch", "numpy"]

_chosen: Arrays = "auto"


def arrays(kind: Arrays) -> None:
    """What shims of this process give where a call says nothing else.

    "auto"   tensors that share the arrays' memory if the program has imported torch by then, else `colibri.compat.Rows`
    "torch"  tensors, importing torch if need be; MissingExtra without it
    "numpy"  plain numpy arrays, whatever is imported

    Raises InputError for any other word.
    """
    global _chosen  # noqa: PLW0603 - a choice for the process is what this is
    _chosen = known_kind(kind)


def known_kind(kind: str | None) -> Arrays:
    """One of the three words; None: what the process has chosen."""
    if kind is None:
        return _chosen
    for word in get_args(Arrays):
        if kind == word:
            found: Arrays = word
            return found
    raise InputError(f"arrays: found {kind!r}, wanted {', '.join(map(repr, get_args(Arrays)))}")


def handed(array: "NDArray[Any]", kind: str | None = None) -> Any:
    """An array as the caller wants it: see `arrays`. Its memory is shared."""
    wanted = known_kind(kind)
    if wanted == "numpy":
        return array
    torch = sys.modules.get("torch")
    if wanted == "torch" and torch is None:
        try:
            torch = import_module("torch")
        except ImportError as error:
            raise MissingExtra(
                'arrays="torch" needs torch: pip install torch, or leave it out and get Rows, which numpy takes'
            ) from error
    if torch is not None:
        # torch warns of arrays that cannot be written, and would let them be.
        return torch.from_numpy(array if array.flags.writeable else array.copy())
    from colibri.compat.rows import Rows

    return Rows(array)


def taken(given: Any, dtype: str | None = None) -> "NDArray[Any]":
    """An array of whatever holds numbers: tensors on any device, Rows, arrays, nested lists. Shares memory if it can.

    Raises InputError for what is no array of numbers, such as lists of unequal lengths.
    """
    import numpy as np

    if is_tensor(given):
        given = given.detach().cpu()
        given = given.float().numpy() if str(given.dtype) == "torch.bfloat16" else given.numpy()
    elif isinstance(given, list | tuple) and any(is_tensor(part) for part in given):
        given = [taken(part) for part in given]
    try:
        array = np.asarray(given, dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f"found {type(given).__name__} that is no array of numbers ({error})") from error
    if array.dtype.kind not in "fiub":
        raise InputError(f"found {type(given).__name__} of {array.dtype}, wanted an array of numbers")
    return array


def is_tensor(given: object) -> bool:
    """Whether it is a torch tensor; without torch nothing is."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(given, torch.Tensor)
