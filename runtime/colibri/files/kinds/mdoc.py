"""Macros of BSD's man pages (mdoc): a line of them, which call each other, as the text that it prints."""

import re

GLUE = "\x01"
"""No blank here, whatever stands beside it."""

_ENCLOSING = {
    "Op": "[]", "Bq": "[]", "Oo": "[", "Bo": "[", "Oc": "]", "Bc": "]", "Pq": "()", "Po": "(", "Pc": ")", "Dq": "“”",
    "Do": "“", "Dc": "”", "Qq": '""', "Qo": '"', "Qc": '"', "Sq": "‘’", "So": "‘", "Sc": "’", "Ql": "‘’", "Aq": "<>",
    "Ao": "<", "Ac": ">", "Brq": "{}", "Bro": "{", "Brc": "}",
}  # fmt: skip
_SYSTEMS = {"At": "AT&T UNIX", "Bx": "BSD", "Bsx": "BSD/OS", "Dx": "DragonFly", "Fx": "FreeBSD", "Nx": "NetBSD"}
_SYSTEMS |= {"Ox": "OpenBSD", "Ux": "UNIX"}
_PLAIN = frozenset(
    "Ad An Ar Cd Cm Dv Em Er Ev Fa Fd Fr Ft Ic Li Lb Ms Mt Nd Nm No Pa St Sx Sy Tn Va Vt Fn Fo Fc In Lk Xr Fl Ns Ap Pf "  # noqa: SIM905
    "Ta Xo Xc Bf Ef Bt Ud Eo Ec %A %B %C %D %I %J %N %O %P %Q %R %T %U %V".split()
)
_DEEPEST = 20
_CLOSING = frozenset(".,:;)]?!")
_OPENING = frozenset("([")
CALLED = _PLAIN | set(_ENCLOSING) | set(_SYSTEMS)


def line_of(macro: str, given: list[str], name: str) -> str:
    """What a macro prints with what is called in its arguments; glue is still in it. name: of the page."""
    return " ".join(_called([macro, *given], name))


def joined(text: str) -> str:
    """A text without its glue."""
    return re.sub(rf" ?{GLUE}[ {GLUE}]*", "", text)


def _called(words: list[str], name: str, depth: int = 0) -> list[str]:
    """Words of which some are macros."""
    printed: list[str] = []
    at = 0
    while at < len(words):
        macro = words[at]
        at += 1
        if macro not in CALLED or depth > _DEEPEST:
            printed.append(_punctuated(macro))
            continue
        pair = _ENCLOSING.get(macro, "")
        if len(pair) == 2:
            # To the end of the line, but for the marks that end a sentence.
            end = len(words)
            while end > at and words[end - 1] in _CLOSING:
                end -= 1
            printed += [pair[0] + GLUE, *_called(words[at:end], name, depth + 1), GLUE + pair[1]]
            at = end
        elif pair:
            printed.append(GLUE + pair if macro.endswith("c") else pair + GLUE)
        else:
            begin = at
            while at < len(words) and words[at] not in CALLED:
                at += 1
            printed += _plain(macro, words[begin:at], name)
    return printed


def _plain(macro: str, given: list[str], name: str) -> list[str]:
    """A macro with its own arguments, the marks behind them apart."""
    marks: list[str] = []
    while given and given[-1] in _CLOSING:
        marks.insert(0, _punctuated(given.pop()))
    return [*_alone(macro, given, name), *marks]


def _alone(macro: str, given: list[str], name: str) -> list[str]:
    words = [_punctuated(word) for word in given]
    if macro == "Fl":
        return [word if word in {"|", "("} else f"-{word}" for word in words] or ["-" + GLUE]
    if macro == "Nm":
        return words or [name]
    if macro == "Nd":
        return ["–", *words]
    if macro == "Ar":
        return words or ["file ..."]
    if macro == "Xr":
        return [f"{words[0]}({words[1]})", *words[2:]] if len(words) > 1 else words
    if macro == "Fn":
        return [f"{words[0]}({', '.join(words[1:])})"] if words else []
    if macro in {"Fo", "Fc"}:
        return [f"{' '.join(words)}({GLUE}"] if macro == "Fo" else [GLUE + ")"]
    if macro == "In":
        return [f"#include <{' '.join(words)}>"]
    if macro == "Lk":
        return [*words[1:], f"<{words[0]}>" if len(words) > 1 else words[0]] if words else []
    if macro in {"Ns", "Ap"}:
        return [GLUE + ("'" if macro == "Ap" else "") + GLUE, *words]
    if macro == "Pf":
        return [words[0] + GLUE, *words[1:]] if words else []
    if macro in _SYSTEMS:
        return [" ".join([_SYSTEMS[macro], *words])]
    return ["\t", *words] if macro == "Ta" else words


def _punctuated(word: str) -> str:
    return GLUE + word if word in _CLOSING else word + GLUE if word in _OPENING else word
