"""Text to token ids and the characters behind each; long text to passages.

In come text and a role of the manifest, out go ids, kept rows and spans. It stands on `artefact` and `vectors`. It
must never import scoring or what runs a graph; the `tokenizers` package is loaded only where a text needs it.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

if TYPE_CHECKING:
    from colibri.tokens.clusters import CLUSTER_BYTES
    from colibri.tokens.light_tokenizer import LightTokenizer
    from colibri.tokens.passages import OVERLAP_TOKENS, PASSAGE_TOKENS, split
    from colibri.tokens.tokenizer import Encoded, TextTokenizer
    from colibri.tokens.tokenizer_file import RULES_FILE, read_tokenizer_json, rules_alone
    from colibri.tokens.unigram import WORD_START, vocabulary_arrays
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "clusters": "CLUSTER_BYTES",
            "light_tokenizer": "LightTokenizer",
            "passages": "OVERLAP_TOKENS PASSAGE_TOKENS split",
            "tokenizer": "Encoded TextTokenizer",
            "tokenizer_file": "RULES_FILE read_tokenizer_json rules_alone",
            "unigram": "WORD_START vocabulary_arrays",
        },
    )
