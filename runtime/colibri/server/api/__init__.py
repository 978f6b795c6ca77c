"""The routes of Jina's API and of indexes."""
