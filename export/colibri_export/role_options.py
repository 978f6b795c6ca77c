"""The options of `colibri export` that say what a checkpoint's files do not, as one `Facts`."""

from collections.abc import Callable
from functools import reduce, wraps
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., object])

_NOTHING = "'' for none."
_OPTIONS = (
    click.option(
        "--query-marker",
        metavar="TEXT",
        help=f"The token before every query, as the tokenizer spells it ('[unused0]', '[Q] '); {_NOTHING}",
    ),
    click.option(
        "--document-marker", metavar="TEXT", help=f"The one before every document ('[unused1]', '[D] '); {_NOTHING}"
    ),
    click.option("--query-length", type=click.IntRange(min=1), metavar="N", help="Longest query in tokens."),
    click.option(
        "--query-expansion",
        type=click.Choice(["none", "hidden", "seen"]),
        help="Masks that fill a query up to its length: none, hidden from its words (colbertv2.0), or seen by them "
        "(jina-colbert-v2).",
    ),
    click.option(
        "--skiplist",
        type=click.Choice(["none", "stanford", "pylate"]),
        help="Whose rule drops the rows of punctuation from documents.",
    ),
    click.option(
        "--lowercase/--keep-case",
        default=None,
        help="Whether texts are lower-cased before they are tokenized; default: as sentence_bert_config.json says.",
    ),
    click.option(
        "--plain",
        is_flag=True,
        help="Texts as they are, whatever the files say: no marker, expansion or skiplist, as long as the positions "
        "reach. The options above come over it.",
    ),
)


def role_options(command: Command) -> Callable[..., None]:
    """Add the options to a command, which gets them as its parameter `facts`, a colibri_export.facts.Facts."""

    @wraps(command)
    def with_facts(plain: bool, **given: Any) -> None:
        from colibri_export.facts import PLAIN, Facts  # noqa: PLC0415 - NumPy is behind it

        names = ("query_marker", "document_marker", "query_length", "query_expansion", "skiplist", "lowercase")
        facts = Facts(**{name: given.pop(name) for name in names})
        command(**given, facts=facts.over(PLAIN) if plain else facts)

    return reduce(lambda made, option: option(made), reversed(_OPTIONS), with_facts)
