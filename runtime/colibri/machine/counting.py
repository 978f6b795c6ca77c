"""Numbers of things, as sentences have them."""


def counted(count: int, one: str, many: str = "") -> str:
    """As in "1 file", "1,200 files". many: where it is not `one` and an s."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
