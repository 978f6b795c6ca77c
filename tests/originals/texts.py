"""Texts for the calls: words of the tiny checkpoints' vocabulary, made by rule, and some that hurt."""

WORDS = """
search engine query document token vector model index rank score network language late interaction retrieval passage
neural match similar bird hummingbird small fast house river city world year day night school music science history
computer data work place right new old good great high large white black red green blue read write think
""".split()

QUERIES = ["small birds", "How fast is the river in the old city?", "a, b; c!"]

DOCUMENTS = [
    "small bird, fast hummingbird.",
    "the river and the city in the old world where people read and write" + " again and again" * 20,
    "music",
    "(e.g.) in a paper: one vector per token - not one per text!",
    "...",
]
"""Of unequal lengths; one over 64 tokens, one of nothing but punctuation."""


def passages(count: int, words: int = 12) -> list[str]:
    """So many passages of so many words, no two alike."""
    size = len(WORDS)
    return [" ".join(WORDS[(i * 7 + j * (3 + i % 11) + i // size) % size] for j in range(words)) for i in range(count)]
