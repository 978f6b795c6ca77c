"""RAGatouille (0.0.9.post2) as its users import it."""
