"""Index a collection, search it, write a ranking: the three steps of the ColBERT README."""

from colbert import Indexer, Searcher
from colbert.data import Collection, Queries
from colbert.infra import ColBERTConfig, Run, RunConfig

COLLECTION = [
    "Berlin has 3.7 million inhabitants.",
    "Bread is baked in an oven.",
    "A hummingbird beats its wings fifty times a second.",
    "The capital of France is Paris.",
]

if __name__ == "__main__":
    with Run().context(RunConfig(nranks=1, experiment="notes")):
        config = ColBERTConfig(nbits=2, root="experiments")
        indexer = Indexer(checkpoint="colbert-ir/colbertv2.0", config=config)
        indexer.index(name="notes.nbits=2", collection=Collection(data=COLLECTION))

    with Run().context(RunConfig(nranks=1, experiment="notes")):
        searcher = Searcher(index="notes.nbits=2", config=ColBERTConfig(root="experiments"))
        results = searcher.search("how many people live in Berlin?", k=3)
        for passage_id, passage_rank, passage_score in zip(*results):
            print(f"\t [{passage_rank}] \t\t {passage_score:.1f} \t\t {searcher.collection[passage_id]}")
        assert results[0][0] == 0
        assert results[1] == [1, 2, 3]

        queries = Queries(data={"q1": "which bird is fast?", "q2": "France"})
        ranking = searcher.search_all(queries, k=2)
        assert ranking.todict()["q1"][0][0] == 2
        assert ranking.todict()["q2"][0][0] == 3
        ranking.save("notes.ranking.tsv")
