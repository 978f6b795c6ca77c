"""`colbert.modeling.checkpoint`, `colbert.modeling.colbert`, `colbert.modeling.tokenization`."""
