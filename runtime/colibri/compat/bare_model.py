"""What models of PyLate and sentence-transformers share here: how they are made, what they are asked, what is not here.

There is one model behind both, a `Colibri`; the two say the same in other words.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from colibri.compat.bare_rows import encoded
from colibri.compat.handing import handed, known_kind
from colibri.compat.not_here import not_here
from colibri.compat.options import loaded
from colibri.errors import InputError, InputTypeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from colibri.artefact import Role, RoleName
    from colibri.model import Colibri


class BareModel:
    """A model whose rows leave as bare arrays, query weights folded in.

    arrays: "torch", "numpy" or "auto" for this model's answers where they are not plainly numpy's; None: what
    `colibri.compat.arrays` says.
    """

    _called = "ColBERT"

    def __init__(
        self, name: Any, *, device: Any, dim: int | None, arrays: str | None, hub: Mapping[str, Any] | None = None
    ) -> None:
        if name is None:
            not_here(f"{self._called} of modules", "there is no torch to put together", "name a model or a folder")
        if arrays is not None:
            known_kind(arrays)
        from colibri.checks import one_dim

        self.colibri: Colibri = loaded(name, device=device, hub=hub)
        """The model itself, for all that Colibri can do. Others that named the same one share it."""
        self._dim = self.colibri.dim if dim is None else one_dim(self.colibri.manifest, dim)
        self._arrays = arrays
        self._lengths: dict[RoleName, int | None] = {"query": None, "document": None}
        self._more_prompts: dict[str, str] = {}

    @property
    def device(self) -> str:
        """What runs the model, in torch's words: "cpu" or "cuda"."""
        return {"cpu": "cpu", "coreml": "mps"}.get(self.colibri.provider.name, "cuda")

    def get_embedding_dimension(self) -> int:
        """Width of a row."""
        return self._dim

    get_sentence_embedding_dimension = get_embedding_dimension

    @property
    def query_length(self) -> int:
        """Most tokens of a query, markers included; can be set, up to what the graph takes."""
        return self._lengths["query"] or _length(self.colibri.manifest.query)

    @query_length.setter
    def query_length(self, value: int) -> None:
        self._set_length("query", value)

    @property
    def document_length(self) -> int:
        """Most tokens of a document, markers included; can be set, up to what the graph takes."""
        return self._lengths["document"] or self.colibri.manifest.document.max_tokens

    @document_length.setter
    def document_length(self, value: int) -> None:
        self._set_length("document", value)

    def _set_length(self, role: "RoleName", value: int | None) -> None:
        if value is None:
            return
        longest = self.colibri.manifest.architecture.max_positions
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= longest:
            raise InputError(f"{role}_length: found {value!r}, wanted a whole number from 1 to {longest}")
        manifest = self.colibri.manifest
        own = _length(manifest.query) if role == "query" else manifest.document.max_tokens
        self._lengths[role] = None if value == own else value

    @property
    def prompts(self) -> dict[str, str]:
        """What stands before texts, by name. Those of the two roles are the model's own, and always there."""
        return {"query": self._prefix("query"), "document": self._prefix("document")} | self._more_prompts

    def _prefix(self, role: "RoleName") -> str:
        """The role's marker or prefix; "" without one."""
        rules = self.colibri.manifest.query if role == "query" else self.colibri.manifest.document
        marker = self._marker(role) if rules.marker_id is not None else None
        return f"{marker} " if marker else rules.prefix or ""

    def _check_prefix(self, role: "RoleName", given: str | None) -> None:
        """Refuse a prefix that is not the model's own: it is a fact of the model, and in its artefact."""
        if given is None:
            return
        own = self._prefix(role)
        if given not in (own, own.strip()):
            raise InputError(f"{role}_prefix: found {given!r}, {self.colibri.name} was made with {own!r}; leave it out")

    def _marker(self, role: "RoleName") -> str | None:
        """The marker token's text; None where its row is not kept, so that it cannot be seen."""
        rules = self.colibri.manifest.query if role == "query" else self.colibri.manifest.document
        if not rules.keep_special_rows:
            return None
        tokens: list[str] = self.colibri._encoder.row_tokens([""], role)[0]
        # PyLate's are added as "[Q] ": so tokenizers before 0.23 spell them, newer ones leave the blank out.
        return tokens[len(self.colibri.manifest.tokenizer.start_ids)].strip()

    def _rows(self, texts: Sequence[str], role: "RoleName", progress: bool | None) -> "list[NDArray[Any]]":
        return encoded(
            self.colibri, texts, role, dim=self._dim, progress=bool(progress), max_tokens=self._lengths[role]
        )

    def _prompted(self, texts: list[Any], role: "RoleName", prompt: str | None, prompt_name: str | None) -> list[Any]:
        """Texts behind a prompt; the role's own is there anyway. Raises InputError for the name of none."""
        if prompt is None and prompt_name is not None:
            if prompt_name not in self.prompts:
                raise InputError(f"prompt_name: found {prompt_name!r}, there is {', '.join(map(repr, self.prompts))}")
            prompt = self.prompts[prompt_name]
        if not prompt or prompt == self._prefix(role):
            return texts
        return [prompt + text if isinstance(text, str) else text for text in texts]

    def _handed(self, array: "NDArray[Any]") -> Any:
        return handed(array, self._arrays)

    def to(self, device: Any = None, *_: object, **__: object) -> Self:
        """Itself, where it is. Raises NotHere for a device it does not run on."""
        wanted = str(device).partition(":")[0]
        if isinstance(device, int) and not isinstance(device, bool):
            wanted = "cuda"
        if wanted in ("cuda", "mps", "xpu", "npu") and wanted != self.device:
            not_here(
                f"{self._called}.to({str(device)!r})",
                f"what runs a model is chosen when it is loaded, and that was {self.device}",
                f"make it with device={str(device)!r}",
            )
        return self

    def cuda(self, *_: object) -> Self:
        """As `to("cuda")`."""
        return self.to("cuda")

    def _itself(self, *_: object, **__: object) -> Self:
        """Itself: a precision is the artefact's, and nothing here trains or compiles."""
        return self

    cpu = eval = half = float = bfloat16 = compile = requires_grad_ = _itself

    def train(self, mode: bool = True) -> Self:
        """Itself for False; nothing here trains."""
        if mode:
            self._no_training()
        return self

    def _no_training(self, *_: object, **__: object) -> Any:
        not_here(
            f"Training and saving a {self._called}",
            "there is no torch module behind it",
            "do it with the original package, then `colibri export` the folder it saves",
        )

    fit = save = save_pretrained = push_to_hub = _no_training

    def _no_pool(self, *_: object, **__: object) -> Any:
        not_here(
            f"A pool of processes of {self._called}",
            "its threads use every core already",
            "call encode with all texts",
        )

    start_multi_process_pool = stop_multi_process_pool = encode_multi_process = _no_pool

    @property
    def tokenizer(self) -> Any:
        """NotHere."""
        not_here(
            f"{self._called}.tokenizer",
            "tokens are made inside, without transformers",
            "use `tokenizers.Tokenizer.from_file` on the checkpoint's tokenizer.json",
        )

    @property
    def tokenize(self) -> Any:
        """NotHere."""
        return self.tokenizer

    def __repr__(self) -> str:
        return f"{self._called}({self.colibri.name!r}, dim={self._dim}, device={self.device!r})"


def listed(given: Any, name: str) -> tuple[list[Any], bool]:
    """Texts in a list, and whether it was one string. Raises InputTypeError for what is neither."""
    if isinstance(given, str):
        return [given], True
    if isinstance(given, Mapping | bytes | bytearray) or not hasattr(given, "__iter__"):
        raise InputTypeError(f"{name}: found {type(given).__name__}, wanted a text or a list of texts")
    return list(given), False


def _length(rules: "Role") -> int:
    """Of a query: with its expansion, if it has one."""
    return rules.expansion.to_tokens if rules.expansion is not None else rules.max_tokens
