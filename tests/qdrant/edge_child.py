"""Processes of their own for test_edge.py, whose output is their answer.

python edge_child.py ingest FOLDER FIRST    adds documents one by one from number FIRST, and names each that is in
python edge_child.py daemon FOLDER METHOD   a daemonic process of multiprocessing opens, adds, and searches
"""

import multiprocessing
import sys
from itertools import count

from colibri.stores import QdrantEdgeStore
from store_contract import DIM, SPACE, document, rows


def ingest(folder: str, first: int) -> None:
    with QdrantEdgeStore(folder, space_id=SPACE, dims=DIM) as store:
        print("open", store._edge.worker, flush=True)
        for number in count(first):
            store.add([document(number)])
            print(number, flush=True)


def worker(folder: str) -> None:
    with QdrantEdgeStore(folder, space_id=SPACE, dims=DIM) as store:
        store.add([document(seed) for seed in range(5)])
        print([hit.id for hit in store.search(rows(3, 4), k=1)], flush=True)


def main() -> None:
    task, folder, word = sys.argv[1:]
    if task == "ingest":
        ingest(folder, int(word))
        return
    multiprocessing.set_start_method(word)
    process = multiprocessing.Process(target=worker, args=[folder], daemon=True)
    process.start()
    process.join()
    sys.exit(process.exitcode)


if __name__ == "__main__":
    main()
