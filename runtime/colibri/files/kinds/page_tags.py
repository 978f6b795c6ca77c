"""What the tags of a page do to its text: which begin a line, which are not shown, which end others."""

from enum import IntEnum


class Gap(IntEnum):
    """What stands before the next text; of two that meet, the larger."""

    NONE = 0
    LINE = 1
    BLOCK = 2
    CELL = 3  # above BLOCK: a paragraph in a cell begins no line
    ROW = 4
    TABLE = 5


UNSEEN = frozenset(
    "script style noscript template iframe noembed svg audio video datalist rt rp rtc annotation annotation-xml".split()  # noqa: SIM905
)
READINGS = frozenset({"rt", "rp", "rtc"})
VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())  # noqa: SIM905
ENDED_BY_NEXT = frozenset({"p", "li", "dt", "dd", "td", "th", "tr", "option"})
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
KEEPING_BLANKS = frozenset({"pre", "textarea", "xmp", "listing"})
SHOWN_INPUTS = frozenset("text search email url tel number date time button submit reset".split())  # noqa: SIM905
GAPS = {
    **dict.fromkeys(
        "p div section article header footer main nav aside ul ol dl blockquote figure figcaption form fieldset legend "  # noqa: SIM905
        "hr address details summary caption dialog center menu dir hgroup search body html head title noframes select "
        "pre textarea xmp listing h1 h2 h3 h4 h5 h6".split(),
        Gap.BLOCK,
    ),
    **dict.fromkeys("li dt dd option optgroup".split(), Gap.LINE),  # noqa: SIM905
    **dict.fromkeys(("td", "th"), Gap.CELL),
    **dict.fromkeys(("tr", "thead", "tbody", "tfoot"), Gap.ROW),
    "table": Gap.TABLE,
}
# What ends an <svg> that does not end: https://html.spec.whatwg.org/multipage/parsing.html#parsing-main-inforeign
BREAKING_OUT = frozenset(
    "body blockquote center dd div dl dt h1 h2 h3 h4 h5 h6 hr img li menu ol p pre ruby table ul".split()  # noqa: SIM905
)
AFTER_HEADINGS = frozenset({"p", "ul", "ol", "dl", "pre", "blockquote", "section", "article"})
