"""Answers in words, for the model to read: all that it needs to go on, and no more."""

from colibri.assistants.answers import Listing, Reading, Result, Results
from colibri.machine import counted


def in_words(answer: Listing | Results | Reading) -> str:
    """What the tools say beside their structure."""
    if isinstance(answer, Listing):
        return _listing(answer)
    return _results(answer) if isinstance(answer, Results) else _reading(answer)


def _listing(answer: Listing) -> str:
    lines = []
    for one in answer.indexes:
        if one.problem is not None:
            lines.append(f"{one.name}: cannot be asked now: {one.problem}")
            continue
        of = f", of {', '.join(one.folders)}" if one.folders else ""
        texts = "" if one.keeps_texts else "; keeps no texts"
        lines.append(f"{one.name}: {counted(one.documents, 'document')}, {counted(one.passages, 'passage')}{of}{texts}")
    return "\n".join(lines)


def _results(answer: Results) -> str:
    said = [] if answer.note is None else [answer.note]
    return "\n\n".join([*said, *(_result(i, one) for i, one in enumerate(answer.results, 1))])


def _result(number: int, one: Result) -> str:
    title = one.title if one.title and one.title not in one.place else None
    about = "".join(f"  {fact}" for fact in (title, one.modified and f"modified {one.modified[:10]}") if fact)
    fit = "" if one.fit is None else f" {one.fit}"
    gone = "  (its file is gone)" if one.gone else ""
    lines = [f"{number}. {one.score:.3f}{fit}  {one.place}{about}{gone}", f"id: {one.id}"]
    for passage in one.passages:
        more = " (cut)" if passage.cut else ""
        lines += [f"[characters {passage.start}-{passage.end}{more}]", passage.text.strip()]
    return "\n".join(lines)


def _reading(answer: Reading) -> str:
    before = "" if not answer.more_before else "; goes on before"
    after = "" if not answer.more_after else "; goes on after"
    head = f"{answer.place}, characters {answer.start}-{answer.end} of {answer.whole_length}{before}{after}"
    return f"{head}\n\n{answer.text}"
