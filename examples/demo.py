"""One question in four languages, eight documents around the name Berlin: which one says how many people live there?
Then three questions about Colibri, answered from its own documentation by the local index, which is made once."""

import time
from pathlib import Path

import click

import colibri
from colibri.cli.listing import listing
from colibri.files.sync import Sync, Wanted

DOCUMENTS = [
    "Berlin, the capital of Germany, has about 3.7 million inhabitants; no city of the European Union has more.",
    "Berlin was first mentioned in writing in 1244, seven years after its twin town Cölln across the river Spree.",
    "Mount Berlin is an ice-covered volcano in Marie Byrd Land, Antarctica, 3,478 metres high.",
    "Irving Berlin, born in Siberia, wrote White Christmas and some 1,500 other songs.",
    "Berlin is also a small town in Connecticut, half an hour by car from Hartford, with orchards and a fairground.",
    "Babylon Berlin ist eine Fernsehserie über einen Kommissar im Berlin der späten Zwanzigerjahre.",
    "Le mur de Berlin a partagé la ville d'août 1961 à novembre 1989.",
    "Berliner nennt man im Rheinland ein in Fett gebackenes Hefegebäck, das mit Marmelade gefüllt ist.",
]
QUESTIONS = {
    "English": "How many people live in Berlin?",
    "French": "Combien de personnes vivent à Berlin ?",
    "Japanese": "ベルリンには何人住んでいますか？",
    "Arabic": "كم عدد سكان برلين؟",
}


ROOT = Path(__file__).resolve().parents[1]
ABOUT_COLIBRI = [
    "Do I need PyTorch to export a model?",
    "What happens to a document that is too long for the model?",
    "Is anything lost when the power fails while I add documents?",
]


def main() -> None:
    """Both."""
    model = rank_around_berlin()
    answer_from_the_documentation(model)


def rank_around_berlin() -> colibri.Colibri:
    """Rank eight documents for each question."""
    started = time.perf_counter()
    model = colibri.load()
    print(f"{model!r} loaded in {time.perf_counter() - started:.2f} s, offline")
    started = time.perf_counter()
    documents = model.encode_documents(DOCUMENTS)
    seconds = time.perf_counter() - started
    print(f"{len(documents)} documents, {len(documents.rows)} token vectors in {seconds * 1000:.0f} ms\n")
    for language, question in QUESTIONS.items():
        started = time.perf_counter()
        scores = model.score(question, documents)
        milliseconds = (time.perf_counter() - started) * 1000
        print(f"{language}: {question}  ({milliseconds:.0f} ms)")
        for i in (-scores).argsort(kind="stable")[:3]:
            print(f"  {scores[i]:6.2f}  {DOCUMENTS[i]}")
        print()
    return model


def answer_from_the_documentation(model: colibri.Colibri) -> None:
    """Index README.md and docs/, what changed since the last time, and ask."""
    place = ROOT / "build" / f"demo-{model.manifest.space_id[:8]}.index"  # another model has an index of its own
    started = time.perf_counter()
    with colibri.Index.open(place, model) as index:
        sync = Sync(index, Wanted(globs=["*.md"]))
        summary = sync.run(sync.plan([ROOT / "README.md", ROOT / "docs"]), lambda tokens: None)
        stats = index.stats()
        seconds = time.perf_counter() - started
        counts = f"{summary.indexed} files indexed, {summary.unchanged} unchanged"
        print(f"Colibri's documentation: {counts} in {seconds:.1f} s")
        print(f"{stats.passages} passages, {stats.tokens:,} tokens in build/{place.name}\n")
        for question in ABOUT_COLIBRI:
            started = time.perf_counter()
            hits = index.search(question, k=1, explain=True, passages=1)
            print(f"{question}  ({(time.perf_counter() - started) * 1000:.0f} ms)")
            for line in listing(hits, ROOT):
                click.echo(line)  # bold where it is a terminal
            print()


if __name__ == "__main__":
    main()
