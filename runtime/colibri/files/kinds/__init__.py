"""Bytes of a file to its text, one module a kind. A reader takes a `Source` and returns a `FileText`; kinds that hold
several documents or files yield `Part`s, `Member`s and what they `Passed` over. None imports a model or an index."""
