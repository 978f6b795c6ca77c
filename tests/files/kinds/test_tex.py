"""LaTeX is read as the text that it sets, under the headings that it has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files.kinds.tex import read
from colibri.files.source import Source
from colibri.files.text import FileText

DOCUMENT = r"""% a comment
\documentclass[12pt]{article}
\usepackage[utf8]{inputenc}
\newcommand{\app}{Colibri}
\newcommand{\pair}[2]{#1 and #2}
\title{Keeping a \emph{kettle}\thanks{Paid by the harbour.}}
\author{Ann Lee \and J\"org Mayr}
\begin{document}
\maketitle
\section{Descaling}\label{sec:d}
Boil vinegar,% not water
 then rinse~twice \cite[p.~3]{lee}. See Section~\ref{sec:d}, page 1--2.

\begin{itemize}[noitemsep]
  \item ``First'' one\footnote{A note with 50\% of it.} here
  \item[Second:] \textbf{bold} and {\it italic} % gone
\end{itemize}
\subsection*{With \texttt{code}}
Price: $x^2 + \alpha$ costs \$5 \& more. \[ a = b \]
\begin{equation}\label{eq:1}
E = mc^2
\end{equation}
\begin{verbatim}
if x:  % no comment
    \keep{this}
\end{verbatim}
\begin{tabular}{l|r}
\hline
left & right \\[2pt]
\multicolumn{2}{c}{both} \\
\end{tabular}
\begin{figure}[ht]\centering\includegraphics[width=3cm]{k.png}\caption[short]{The kettle.}\end{figure}
\section{Use of \app}
\input{chapters/use} \url{https://example.org/~a%20b} \href{https://example.org}{a link}
\verb|\x{y}| \textcolor{red}{red}
\end{document}
not set
"""


def text_of(data: str | bytes) -> FileText:
    return read(Source(name="a.tex", data=data.encode() if isinstance(data, str) else data))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_document(end: str) -> None:
    found = text_of(DOCUMENT.replace("\n", end))
    assert found.text == (
        "Keeping a kettle\n\nAnn Lee\nJörg Mayr\n\nPaid by the harbour.\n\n"
        "Descaling\n\nBoil vinegar,then rinse twice. See Section, page 1–2.\n\n"
        "“First” one here\nSecond: bold and italic\n\nA note with 50% of it.\n\n"
        "With code\n\nPrice: $x^2 + \\alpha$ costs $5 & more. \\[ a = b \\]\n\n"
        "E = mc^2\n\nif x:  % no comment\n    \\keep{this}\n\n"
        "left\tright\nboth\n\nThe kettle.\n\n"
        "Use of Colibri\n\nhttps://example.org/~a%20b a link \\x{y} red"
    )
    assert [(place.label, found.text[place.start :].split("\n")[0]) for place in found.places] == [
        ("Descaling", "Descaling"),
        ("Descaling > With code", "With code"),
        ("Use of Colibri", "Use of Colibri"),
    ]
    assert (found.title, found.author) == ("Keeping a kettle", "Ann Lee, Jörg Mayr")
    assert found.remarks == ("chapters/use is included, and not read here",)


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"\"a\"O\'{e}\`e\^{\i}\~n\c{c}\v{s}\H{o}\r{a}\u g\.z\k{a}\=u\d{t}", "äÖéèîñçšőåğżąūṭ"),
        (r"Stra\ss e, Stra{\ss}e, \O{}re, \AE gir, \L\'od\'z, \aa\oe\o", "Straße, Straße, Øre, Ægir, Łódź, åœø"),
        (r"\'{\i}\'i \"{\i}", "íí ï"),
        (r"50\,\% \#1 \_x \{a\} \textbackslash n", "50 % #1 _x {a} \\n"),
        (r"a\\b\\*c\\[1ex]d\newline e", "a\nb\nc\nd\ne"),
        ("one\ntwo\n\n\nthree\\par four", "one two\n\nthree\n\nfour"),
        ("a%\n  b% c\nd", "abd"),
        (r"10\% of % rest", "10% of"),
        (r"\emph{nested \textbf{deep \textsc{er}}} x", "nested deep er x"),
        (r"\section{A}\subsection{B}\section{}text", "A\n\nB\n\ntext"),
        (r"costs $5 and", "costs $5 and"),
        ("$a\n\nb$ c", "$a\n\nb$ c"),
        (r"$$x$$ and \(y\)", r"$$x$$ and \(y\)"),
        (r"\setlength{\parindent}{0pt}\def\foo#1{bar}\let\a=\b text", "text"),
        (r"\newcommand*{\x}[1][d]{#1}\renewcommand\y{z}say \y", "say z"),
        (r"\iffalse hidden \fi shown", "shown"),
        (r"\begin{comment}hidden\end{comment}shown", "shown"),
        (r"\begin{theorem}[Pythagoras]It holds.\end{theorem}", "Pythagoras It holds."),
        (r"\begin{lstlisting}[language=C]" + "\nint x; // %d\n" + r"\end{lstlisting}", "int x; // %d"),
        (r"\begin{minted}{python}" + "\nx = {}\n" + r"\end{minted}", "x = {}"),
        (
            r"\begin{thebibliography}{9}\bibitem{a} Lee, \emph{Gulls}.\bibitem{b} Mayr.\end{thebibliography}",
            "Lee, Gulls.\nMayr.",
        ),
        (r"\unknown[opt]{kept}\another{too} [this]", "kepttoo [this]"),
        (r"\moduleauthor{Ann Lee}{ann@example.org}, Gr{\"o}{\ss}e", "Ann Lee ann@example.org, Größe"),
        (r"\begin{frame}{Slide}words\end{frame}", "Slidewords"),
        ("unclosed {brace and \\emph{more", "unclosed brace and more"),
        (r"\lstinline{a b} \verb*+c d+", "a b c d"),
        ("", ""),
        ("\\", "\\"),
    ],
)
def test_what_is_set(tex: str, text: str) -> None:
    assert text_of(tex).text == text


@pytest.mark.parametrize(
    ("option", "codec"), [("latin1", "cp1252"), ("latin2", "iso8859-2"), ("cp1251", "cp1251"), ("utf8", "utf-8")]
)
def test_the_encoding_that_a_document_names(option: str, codec: str) -> None:
    word = {"cp1251": "Склад", "iso8859-2": "škůdce"}.get(codec, "Mäuse")
    assert text_of(f"\\usepackage[{option}]{{inputenc}}\n{word}".encode(codec)).text == word


def test_umlauts_and_verbatim_text_of_any_length() -> None:
    found = text_of("\\begin{verbatim}\n" + "a%{\\\n" * 50_000 + "\\end{verbatim} after")
    assert found.text.endswith("a%{\\\n\nafter")


@pytest.mark.parametrize(
    "part",
    ["{", "}", "\\emph{", "$", "\\[", "[", "\\item[", "\\begin{a}", "\\footnote{", "%", '\\"', "\\newcommand{\\a}{"],
)
def test_what_is_never_closed_takes_no_long_time(part: str) -> None:
    assert isinstance(text_of(part * 20_000), FileText)


@given(st.text("\\{}[]$%&~^_-`'\"abc \nitemsectionbegin", max_size=150))
def test_any_text_is_set(tex: str) -> None:
    for before in ("", "\\section{", "\\begin{document}", "\\begin{verbatim}"):
        assert "\f" not in text_of(before + tex).text
