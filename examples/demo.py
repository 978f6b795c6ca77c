"""One question in four languages, eight documents around the name Berlin: which one says how many people live there?"""

import time

import colibri

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


def main() -> None:
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


if __name__ == "__main__":
    main()
