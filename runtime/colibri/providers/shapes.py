"""The shapes (texts, tokens) that an engine is built for, and batches are made for."""

from collections.abc import Iterable, Sequence

from colibri.artefact import Profile, Role

TOKENS_AT_ONCE = 8192
"""Texts times tokens of a batch at most, padding included."""
INPUTS = ("input_ids", "attention_mask")
"""Of every masked graph."""

_MOST_TEXTS = 64
_USUAL_QUERY = 32  # tokens
_USUAL_DOCUMENT = 128
_BUCKETS = (128, 512, 2048, 8192)  # most tokens of a document profile


def longest(role: Role) -> int:
    """Most tokens of a text of this role."""
    return max(role.max_tokens, role.expansion.to_tokens if role.expansion else 0)


def several_profiles(query: Role, document: Role) -> tuple[Profile, ...]:
    """Queries (up to 64 at once) of their one length or range of lengths, then documents in buckets of 128, 512, 2,048
    and 8,192 tokens up to their limit, as many at once as 8,192 tokens allow. A length belongs to one bucket."""
    most = longest(query)
    shortest = query.expansion.to_tokens if query.expansion else 1
    usual = most if query.expansion else min(most, _USUAL_QUERY)
    found = [Profile(role="query", minimum=(1, shortest), optimum=(1, usual), maximum=(_MOST_TEXTS, most))]
    most = longest(document)
    after = 0
    for bucket in (*(bucket for bucket in _BUCKETS if bucket < most), most):
        texts = max(1, min(_MOST_TEXTS, TOKENS_AT_ONCE // bucket))
        found.append(
            Profile(
                role="document", minimum=(1, after + 1), optimum=(max(1, texts // 4), bucket), maximum=(texts, bucket)
            )
        )
        after = bucket
    return tuple(found)


def one(query: Role, document: Role) -> tuple[Profile, ...]:
    """A single range for all: as many texts at once as 8,192 tokens allow when all are as long as can be."""
    most = max(longest(query), longest(document))
    texts = max(1, min(_MOST_TEXTS, TOKENS_AT_ONCE // most))
    usual = min(most, _USUAL_DOCUMENT)
    return (Profile(role="document", minimum=(1, 1), optimum=(max(1, texts // 4), usual), maximum=(texts, most)),)


def options(prefix: str, profiles: Sequence[Profile]) -> dict[str, str]:
    """The same as TensorRT's providers of onnxruntime read it: `input_ids:1x1,attention_mask:1x1,...`, one list each
    of the smallest, usual and largest shapes, where the n-th entry of an input belongs to the n-th profile."""

    def listed(shapes: Iterable[tuple[int, int]]) -> str:
        return ",".join(f"{name}:{texts}x{tokens}" for texts, tokens in shapes for name in INPUTS)

    return {
        f"{prefix}_profile_min_shapes": listed(profile.minimum for profile in profiles),
        f"{prefix}_profile_opt_shapes": listed(profile.optimum for profile in profiles),
        f"{prefix}_profile_max_shapes": listed(profile.maximum for profile in profiles),
    }


def most_texts(profiles: Sequence[Profile], tokens: int) -> int | None:
    """How many texts of so many tokens a profile takes at once; None where there is none to ask."""
    fitting = [p.maximum[0] for p in profiles if p.minimum[1] <= tokens <= p.maximum[1]]
    return max(fitting) if fitting else None
