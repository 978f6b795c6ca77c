"""colibri.json: everything that is true of a model, as frozen dataclasses.

The JSON has exactly the keys of these classes; those with a default may be missing in files of an older minor format.
What does not fit is refused with the key's path, so that no rule this runtime does not know is ignored in silence.
"""

from dataclasses import dataclass
from typing import Literal

RoleName = Literal["query", "document"]


@dataclass(frozen=True, kw_only=True)
class Licence:
    """Terms of the weights."""

    id: str
    """SPDX identifier, such as "MIT" or "CC-BY-NC-4.0"."""
    commercial_use: bool
    notice: str
    """One sentence that `colibri info` shows; may be empty."""

    @property
    def forbids_commercial_use(self) -> bool:
        """Whether the terms say so; of a licence that nobody recorded, "unknown", they are not known to."""
        return not self.commercial_use and self.id != "unknown"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the weights came from."""

    kind: Literal["hub", "package", "folder"]
    name: str
    """Hub id, package name, or the folder's own name (never its path)."""
    revision: str | None
    files: dict[str, str]
    """File name -> SHA-256 of what was read."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Facts of the backbone, for people and tools; the graph itself is what runs."""

    family: str
    layers: int
    hidden: int
    heads: int
    intermediate: int
    vocabulary: int
    max_positions: int
    """Most tokens one input may have."""
    position_offset: int
    """Rows of the checkpoint's position table before the first position: 0 for BERT, padding id + 1 for XLM-R."""
    activation: str
    norm_epsilon: float
    rotary_base: float | None
    local_rotary_base: float | None
    local_window: int | None
    """Tokens a local attention layer sees, its own included; None where all attention is global."""
    global_every: int | None
    """Every how many layers attention is global; None where all of it is."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """One projection of the backbone's rows: an output width."""

    dim: int
    truncated_from: int | None
    """Set where this head is only the first `dim` rows of a wider one, normalised again."""
    sha256: str
    """Of the float32 matrix (dim, hidden), little endian, row by row."""


@dataclass(frozen=True, kw_only=True)
class TokenizerSpec:
    """tokenizer.json and the ids that frame every text."""

    file: str
    """tokenizer.json; since format 1.5 also tokenizer.rules.json, which lacks the vocabulary that unigram_file has."""
    start_ids: tuple[int, ...]
    end_ids: tuple[int, ...]
    unigram_file: str | None
    """The vocabulary as the light tokenizer loads it; None: of another kind, or not proven to give equal ids."""
    composition: Literal["nfc", "sentencepiece", "none"] = "nfc"
    """How a text is composed before it is tokenized: canonically, as sentencepiece's nmt_nfkc rules do it as well, or
    not at all. Since format 1.2; decides about decomposed text only."""
    lowercase: bool = False
    """Whether tokenizer.json lower-cases a text because the model's files ask for it (do_lower_case). Since format 1.3;
    to be told, tokenizer.json does it."""
    folding: Literal["none", "marks"] = "none"
    """Whether marks that Arabic and Hebrew are mostly written without are left out then. Since format 1.3."""


@dataclass(frozen=True, kw_only=True)
class Expansion:
    """Query augmentation (ColBERT, arXiv 2004.12832): mask tokens up to a fixed length, each with a row of its own."""

    mask_id: int
    to_tokens: int
    attended: bool
    """Whether the other tokens attend to the mask tokens."""


@dataclass(frozen=True, kw_only=True)
class Skiplist:
    """Token ids whose rows are dropped after encoding."""

    rule: Literal["none", "stanford", "pylate", "custom"]
    """How the ids were found: stanford = first piece of each punctuation symbol, pylate = the bare symbol."""
    ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Role:
    """How a text becomes token ids, and which of their rows are kept.

    Ids: start, marker, prefix text + text, end, expansion. The text is cut so that all but the expansion fits
    `max_tokens`. The skiplist drops rows of the prefix as well, as PyLate has it. A text none of whose rows would be
    kept keeps its first row.
    """

    marker_id: int | None
    prefix: str | None
    keep_prefix_rows: bool
    keep_special_rows: bool
    """Rows of the start, end and marker ids."""
    max_tokens: int
    recorded_max_tokens: int | None
    """What the checkpoint's own metadata says, where `max_tokens` is another number (jina-colbert-v2: 300)."""
    expansion: Expansion | None
    skiplist: Skiplist
    weights_file: str | None
    """float32 little endian, one weight a token id of the vocabulary, for MaxSim; None: every row weighs 1."""
    drop_start_rows: bool = False
    """Whether the rows of the start ids are dropped whatever `keep_special_rows` says (BGE-M3). Since format 1.3."""


@dataclass(frozen=True, kw_only=True)
class Parity:
    """How close a graph is to cpu-fp32, measured through the runtime at export."""

    min_cosine: float
    mean_cosine: float
    max_score_difference: float
    """Largest absolute MaxSim difference over all pairs of the sample."""
    tokens: int


@dataclass(frozen=True, kw_only=True)
class Graph:
    """ONNX files that run on one kind of machine; both roles often share one."""

    query: str
    document: str
    any_cpu_feature: tuple[str, ...]
    """Runs correctly (or, with avx2, faster than those after it) only where one of these is present; empty: everywhere.
    Names: see colibri.providers."""
    masked_query: bool
    masked_document: bool
    """Whether the graph takes an attention mask beside the ids."""
    parity: dict[str, Parity] | None
    """By dim; None where the exporting machine could not run this graph."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Input shapes (batch, tokens) an engine was built for."""

    role: RoleName
    minimum: tuple[int, int]
    optimum: tuple[int, int]
    maximum: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Facts of a compiled engine, which runs only on what it was built for."""

    compute_capability: str
    tensorrt: str
    profiles: tuple[Profile, ...]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to run the model: a precision for a kind of provider."""

    precision: Literal["float32", "float16", "int8", "engine"]
    providers: tuple[str, ...]
    """ONNX Runtime execution providers that can run it. The CPU's is first where the variant is made for it, and last
    where it can only do it as well; which of the others is taken is for the runtime to say (colibri.providers)."""
    minimum_onnxruntime: str
    outputs: dict[str, str]
    """Dim -> the graph's output name."""
    graphs: tuple[Graph, ...]
    """In order of preference; the runtime takes the first one this machine can run."""
    data: tuple[str, ...]
    """Weight files the graphs refer to."""
    size_bytes: int
    """Graphs and weight files together."""
    engine: Engine | None


@dataclass(frozen=True, kw_only=True)
class Storage:
    """How stored rows are quantised to int8."""

    scheme: Literal["collection-scale", "token-scale"]
    scale: float | None
    """float = integer * scale, for collection-scale."""


@dataclass(frozen=True, kw_only=True)
class GoldenRow:
    """Known values of the float32 model, for `colibri verify --golden`."""

    text: str
    role: RoleName
    dim: int
    row: int
    values: tuple[float, ...]
    """The first values of that row."""
    tolerance: float
    source: str = ""
    """Where the values were published. Since format 1.3."""


@dataclass(frozen=True, kw_only=True)
class GoldenScores:
    """Published MaxSim scores of one query with several documents, for `colibri verify --golden`."""

    query: str
    documents: tuple[str, ...]
    dim: int
    scores: tuple[float, ...]
    tolerance: float
    """How far a score may be from the published one, beside `relative_tolerance` times that one."""
    relative_tolerance: float = 0.0
    mean: bool = False
    """Whether a score is divided by the number of the query's rows."""
    source: str = ""
    """Where they were published."""


@dataclass(frozen=True, kw_only=True)
class CutoffRow:
    """Cutoffs of one width, for queries of some lengths."""

    dim: int
    min_weight: float
    """Least sum of the weights of a query's rows (their number, where they have none)."""
    max_weight: float | None
    """Greatest, itself included; None: any. Rows of one width do not overlap."""
    false_positives: dict[str, float]
    """Rate, such as "0.001" -> the score that this share of unrelated pairs reaches."""
    balanced: float
    """The score that tells related and unrelated pairs apart best, where there are as many of both."""


@dataclass(frozen=True, kw_only=True)
class Cutoffs:
    """From which score on a text fits a query: measured, or published, on related and unrelated pairs."""

    unit: Literal["sum", "mean"]
    """What scores are: raw MaxSim, or that divided by the sum of the weights of the query's rows."""
    likely: str
    """The rate whose cutoff a hit called likely reaches."""
    maybe: str
    """The rate whose cutoff a hit called maybe reaches; below it is unlikely."""
    source: str
    """Where they were measured or published."""
    rows: tuple[CutoffRow, ...]


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """Size and hash of one file of the artefact."""

    size_bytes: int
    sha256: str
    parts_sha256: tuple[str, ...] = ()
    """Of each `hashing.PART_BYTES` in order, for several cores; since format 1.1. Empty: one part, or an older file."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The contract between export and runtime; stored as colibri.json."""

    format: str
    name: str
    aliases: tuple[str, ...]
    description: str
    licence: Licence
    source: Source
    space_id: str
    """SHA-256 over backbone weights, heads, tokenizer and role rules. Vectors compare only within one space."""
    architecture: Architecture
    similarity: Literal["cosine"]
    heads: tuple[Head, ...]
    default_dim: int
    tokenizer: TokenizerSpec
    query: Role
    document: Role
    variants: dict[str, Variant]
    """By name, in order of preference."""
    storage: Storage | None
    golden: tuple[GoldenRow, ...]
    files: dict[str, FileEntry]
    """Every file of the artefact but colibri.json itself."""
    golden_scores: tuple[GoldenScores, ...] = ()
    """Since format 1.3."""
    cutoffs: Cutoffs | None = None
    """None: nobody measured them, and nothing is claimed. Since format 1.4."""

    @property
    def dims(self) -> tuple[int, ...]:
        """The widths there is a head for, widest first."""
        return tuple(sorted((head.dim for head in self.heads), reverse=True))

    def role(self, name: RoleName) -> Role:
        """The rules of one role."""
        return self.query if name == "query" else self.document
