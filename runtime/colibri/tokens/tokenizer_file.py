"""tokenizer.json of an artefact: whole, or its rules alone where `unigram.npz` has the vocabulary already.

XLM-R's is 9 MB, of which all but 0.3 MB is the list of pieces and scores that the light tokenizer loads from its own
file. Nobody reads them twice, so they are kept once.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from colibri.errors import ArtefactError

RULES_FILE = "tokenizer.rules.json"
"""tokenizer.json with an empty vocabulary. Since format 1.5."""


def read_tokenizer_json(path: Path, vocabulary: Callable[[], Sequence[tuple[str, float]]] | None) -> str:
    """tokenizer.json as it was, to the byte.

    vocabulary: gives (piece, score) by id, for a file of rules alone. Raises ArtefactError for what cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if path.name != RULES_FILE:
            return text
        document = json.loads(text)
        if vocabulary is None:
            raise ArtefactError(f"{path}: rules alone, and the manifest names no unigram_file with the vocabulary")
        document["model"]["vocab"] = vocabulary()
        return _written(document)
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ArtefactError(f"{path}: cannot be read as a tokenizer ({error})") from error


def rules_alone(tokenizer_json: str) -> str | None:
    """What RULES_FILE holds; None for a text that could not be made again of it."""
    document = json.loads(tokenizer_json)
    if _written(document) != tokenizer_json:
        return None
    document["model"]["vocab"] = []
    return _written(document)


def _written(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
