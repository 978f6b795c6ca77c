"""The settings of Stanford's package with their defaults, in its order. What has no effect here is taken as well."""

import os
import sys
import time
from pathlib import Path
from typing import Any


def _now() -> str:
    return time.strftime("%Y-%m/%d/%H.%M.%S")


class RunSettings:
    """Where a run reads and writes."""

    overwrite: bool | str = False
    root: str = os.path.join(os.getcwd(), "experiments")  # noqa: PTH109, PTH118 - a str, as users join it
    experiment: str = "default"
    index_root: str | None = None
    name: str = _now()
    rank: int = 0
    nranks: int = 1
    amp: bool = True
    gpus: int = 0
    avoid_fork_if_possible: bool = False

    @property
    def index_root_(self) -> str:
        """Folder of indexes."""
        return self.index_root or os.path.join(self.root, self.experiment, "indexes/")  # noqa: PTH118

    @property
    def script_name_(self) -> str:
        """The program's name, with dots for folders; "none" in a prompt."""
        script = getattr(sys.modules.get("__main__"), "__file__", None)
        if not script:
            return "none"
        path = Path(script).absolute()
        base = Path.cwd() if path.is_relative_to(Path.cwd()) else path.parent
        return ".".join(path.relative_to(base).with_suffix("").parts)

    @property
    def path_(self) -> str:
        """Folder of this run's own files."""
        return os.path.join(self.root, self.experiment, self.script_name_, self.name)  # noqa: PTH118


class ModelSettings:
    """What belongs to a model, its training and its index."""

    checkpoint: Any = None
    triples: str | None = None
    collection: Any = None
    queries: Any = None
    index_name: str | None = None
    dim: int = 128
    doc_maxlen: int = 220
    mask_punctuation: bool = True
    query_maxlen: int = 32
    attend_to_mask_tokens: bool = False
    interaction: str = "colbert"
    similarity: str = "cosine"
    bsize: int = 32
    accumsteps: int = 1
    lr: float = 3e-06
    maxsteps: int = 500_000
    save_every: int | None = None
    resume: bool = False
    warmup: int | None = None
    warmup_bert: int | None = None
    relu: bool = False
    nway: int = 2
    use_ib_negatives: bool = False
    reranker: bool = False
    distillation_alpha: float = 1.0
    ignore_scores: bool = False
    model_name: str | None = None
    index_path: str | None = None
    index_bsize: int = 64
    nbits: int = 1
    kmeans_niters: int = 4
    pool_factor: int = 1
    clustering_mode: str = "hierarchical"
    protected_tokens: int = 0
    ncells: int | None = None
    centroid_score_threshold: float | None = None
    ndocs: int | None = None
    load_index_with_mmap: bool = False
    query_token_id: str = "[unused0]"
    doc_token_id: str = "[unused1]"
    query_token: str = "[Q]"
    doc_token: str = "[D]"
