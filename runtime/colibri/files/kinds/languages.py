"""Where units begin in source code of each language, as data: the words that begin one, and what closes it.

A head is a pattern for what stands on a line after its indentation; its one group is the name. "holds" says whether
units stand within: a class does, a function only where the language is `nested`.
"""

import re
from dataclasses import dataclass

_GOES_ON = r"[)\]}]|(?:end\w*|fi|done|esac|else|elsif|elseif|rescue|ensure|catch|finally|then|do|begin|is|in|of)\b"
_NEVER = frozenset("if for while switch return else do catch in of and or not case end try with".split())  # noqa: SIM905
_MODS = (
    r"(?:(?:public|private|protected|internal|static|final|abstract|export|default|async|sealed|open|override|inline|"
    r"virtual|unsafe|partial|readonly|suspend|data|inner|value|enum(?=[ ]class)|companion|annotation|tailrec|operator|"
    r"infix|external|actual|expect|implicit|lazy|case|transparent|declare|extern|mutating|nonmutating|"
    r"convenience|required|dynamic|class(?=[ ]func)|fileprivate|package(?=[ ]def)|mixin|base|interface(?=[ ]class)|"
    r"pub(?:\([\w: ]+\))?|strictfp|non-sealed|ref|new|payable|pure|file|indirect|final|@\w+(?:\([^()\n]*\))?)[ \t]+)*+"
)


@dataclass(frozen=True)
class Language:
    """How units of a language are found.

    lexer       what hides comments and strings (lexer.py)
    nesting     "indents", "ends" or "brackets"
    heads       lines that begin a unit, a group for each kind; holds: whether units stand within, kind by kind
    nested      whether functions within functions count
    calls       where name(...) { is a function: "any" at the top and in classes, "class" in classes, "" nowhere
    semicolons  whether they, and not line ends, end statements
    blocks      whether every block is a unit named by what stands before it (style sheets)
    through     blocks without a name of their own whose inside is looked at as if they weren't there
    above       lines right above a unit that belong to it (decorators), besides comments
    goes_on     what a line as far in as its unit's first may begin with and still belong to it
    ends        what closes the unit
    sections    lines that hold the units after them up to the next one: @implementation, package
    rename      what is changed in names; never: names that are none
    join        between the names of a unit and of what holds it; shown: before the name of a unit at the top
    clauses     whether units of one name in a row are one
    """

    lexer: str
    nesting: str
    heads: re.Pattern[str]
    holds: tuple[bool, ...]
    nested: bool
    calls: str
    semicolons: bool
    blocks: bool
    through: re.Pattern[str]
    above: re.Pattern[str]
    goes_on: re.Pattern[str]
    ends: re.Pattern[str]
    sections: re.Pattern[str]
    rename: tuple[tuple[re.Pattern[str], str], ...]
    never: frozenset[str]
    join: str
    shown: str
    clauses: bool


def language(
    lexer: str,
    nesting: str,
    types: tuple[str, ...] = (),
    functions: tuple[str, ...] = (),
    *,
    mods: bool = False,
    nested: bool = False,
    calls: str = "",
    semicolons: bool = True,
    blocks: bool = False,
    through: str = r"(?!)",
    above: str = r"@\w",
    goes_on: str = _GOES_ON,
    ends: str = r"(?!)",
    sections: str = r"(?!)",
    rename: tuple[tuple[str, str], ...] = (),
    join: str = ".",
    shown: str = "",
    clauses: bool = False,
    any_case: bool = False,
) -> Language:
    """types: heads whose units hold others; functions: heads of those that don't."""
    flags = re.MULTILINE | (re.IGNORECASE if any_case else 0)
    kinds = "|".join((*types, *functions)) or r"(?!)()"
    return Language(
        lexer=lexer,
        nesting=nesting,
        heads=re.compile(rf"^[ \t]*+{_MODS if mods else ''}(?:{kinds})", flags),
        holds=(True,) * len(types) + (False,) * max(len(functions), 1),
        nested=nested,
        calls=calls,
        semicolons=semicolons,
        blocks=blocks,
        through=re.compile(through),
        above=re.compile(above, flags),
        goes_on=re.compile(goes_on, flags),
        ends=re.compile(ends, flags),
        sections=re.compile(sections, flags),
        rename=tuple((re.compile(found, flags), put) for found, put in rename),
        never=_NEVER,
        join=join,
        shown=shown,
        clauses=clauses,
    )
