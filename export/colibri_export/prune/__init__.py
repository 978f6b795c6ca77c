"""An artefact with fewer pieces in its vocabulary: what a language or a corpus never uses takes no room.

In come an artefact and what shall still be read well, out goes another artefact of the same vector space. It stands on
the runtime and on `folders`, `unigram_file`; it reads no checkpoint.

`vocabulary` knows the kinds of tokenizer.json, `wanted` counts what texts use, `tables` cuts graphs and weight files,
`pruning` does it all, `proof` and `judging` measure what came out.
"""
