"""What commands and environments of LaTeX stand for: a letter, nothing, or arguments that are no text."""

HEADINGS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph")

RAW = frozenset("verbatim Verbatim lstlisting minted alltt filecontents BVerbatim LVerbatim code".split())  # noqa: SIM905
MATHS = frozenset(
    "math displaymath equation align alignat flalign gather multline eqnarray dmath tikzcd".split()  # noqa: SIM905
)
UNSEEN = frozenset("comment tikzpicture pgfpicture picture filecontents".split())  # noqa: SIM905
NAMED = frozenset("theorem lemma proof definition corollary proposition remark example claim".split())  # noqa: SIM905
"""Environments whose option is a name that is set."""
WITH_ARGUMENT = frozenset(
    "tabular tabularx tabulary longtable array minipage thebibliography multicols wrapfigure adjustbox".split()  # noqa: SIM905
)
WITH_WIDTH = frozenset({"tabularx", "tabulary", "wrapfigure"})
"""Those with one argument more."""

POINTERS = frozenset(
    "label ref eqref pageref autoref cref Cref nameref vref cite citep citet citealp citealt citeauthor citeyear "  # noqa: SIM905
    "nocite parencite textcite footcite autocite index glossary footnotemark".split()
)
INCLUDED = frozenset({"input", "include", "subfile", "import", "lstinputlisting", "verbatiminput"})
DEFINITIONS = frozenset({"newcommand", "renewcommand", "providecommand", "def", "gdef", "edef", "let"})
NOTES = frozenset({"footnote", "footnotetext", "thanks", "marginpar", "endnote", "sidenote", "todo"})
WITHOUT_TEXT = {
    **dict.fromkeys(
        "includegraphics includeonly bibliography bibliographystyle addbibresource usepackage RequirePackage "  # noqa: SIM905
        "documentclass documentstyle pagestyle thispagestyle pagenumbering vspace hspace color pagecolor hypersetup "
        "graphicspath selectlanguage lstset usetikzlibrary geometry newcounter stepcounter refstepcounter phantom "
        "hphantom vphantom raisebox linespread hyphenation tikzset pgfplotsset value arabic roman alph Roman Alph "
        "theoremstyle foreignlanguage href textcolor colorbox parbox scalebox rotatebox cline cmidrule fontfamily "
        "hyperref hyperlink hypertarget newif bibitem usetheme usecolortheme setbeamertemplate captionsetup".split(),
        1,
    ),
    **dict.fromkeys(
        "setlength addtolength setcounter addtocounter newtheorem definecolor resizebox multicolumn multirow fontsize "  # noqa: SIM905
        "rule fcolorbox DeclareMathOperator DeclareRobustCommand setbeamercolor".split(),
        2,
    ),
    **dict.fromkeys("newenvironment renewenvironment addcontentsline titleformat".split(), 3),  # noqa: SIM905
}
"""Commands, and how many of their first arguments are no text."""

LETTERS = {
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "aa": "å", "AA": "Å", "l": "ł",
    "L": "Ł", "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ", "ng": "ŋ",
    "NG": "Ŋ", "S": "§", "P": "¶", "dag": "†", "ddag": "‡", "copyright": "©", "pounds": "£", "euro": "€",
    "EUR": "€", "texteuro": "€", "ldots": "…", "dots": "…", "textellipsis": "…", "textendash": "–",
    "textemdash": "—", "textbackslash": "\\", "textasciitilde": "~", "textasciicircum": "^", "textbar": "|",
    "textless": "<", "textgreater": ">", "textquotedblleft": "“", "textquotedblright": "”", "textquoteleft": "‘",
    "textquoteright": "’", "textquotesingle": "'", "textbullet": "•", "textdegree": "°", "degree": "°",
    "textregistered": "®", "texttrademark": "™", "guillemotleft": "«", "guillemotright": "»", "glqq": "„",
    "grqq": "“", "flqq": "«", "frqq": "»", "glq": "‚", "grq": "‘", "LaTeX": "LaTeX", "LaTeXe": "LaTeX2e",
    "TeX": "TeX", "BibTeX": "BibTeX", "quad": " ", "qquad": " ", "hfill": " ", "space": " ", "enspace": " ",
    "textunderscore": "_", "textdollar": "$", "textvisiblespace": " ", "slash": "/", "lq": "‘", "rq": "’",
    "and": "\v", "textsection": "§", "textparagraph": "¶",
}  # fmt: skip

MARKS = {"---": "—", "--": "–", "``": "“", "''": "”", "~": " ", "&": "\t", "{": "", "}": ""}

SYMBOLS = {
    **{letter: letter for letter in "%&#$_{}"},
    **dict.fromkeys(" ,;:\n\t", " "),
    "\\": "\v",
}

ENCODINGS = {
    "latin1": "cp1252", "ansinew": "cp1252", "cp1252": "cp1252", "latin2": "iso8859-2", "latin5": "cp1254",
    "latin9": "iso8859-15", "applemac": "mac_roman", "utf8x": "utf-8",
}  # fmt: skip
"""Options of the package inputenc."""
