"""Stanford ColBERT (colbert-ai 0.2.22) as its users import it."""
