"""A fresh process that loads a pipeline from standard input, asks it, and prints what came."""

import json
import sys

from haystack import Pipeline

pipeline = Pipeline.loads(sys.stdin.read())
query = sys.argv[1]
found = pipeline.run({"retriever": {"query": query}, "ranker": {"query": query}})
print(json.dumps([[one.id, one.score, one.meta["colibri"]["matches"]] for one in found["ranker"]["documents"]]))
assert "torch" not in sys.modules
