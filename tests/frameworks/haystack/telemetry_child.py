"""A process of its own, with Haystack's telemetry as its environment says: what asked for addresses, as JSON.

It uses all of ours outside of a pipeline, tells what was asked for by then, runs a pipeline, and tells again.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from frameworks.audit import Audit

audit = Audit()
audit.install()
before = dict(os.environ)

from haystack import Document, Pipeline  # noqa: E402
from haystack.telemetry import _telemetry  # noqa: E402

own = _telemetry.telemetry

from colibri.compat.haystack import ColibriDocumentStore, ColibriRanker, ColibriRetriever  # noqa: E402

store = ColibriDocumentStore(tempfile.mkdtemp())
store.write_documents([Document(content="Berlin has 3.7 million inhabitants.")])
ranked = ColibriRanker().run("Berlin", ColibriRetriever(store).run("Berlin")["documents"])
assert len(ranked["documents"]) == 1
seen = [(one.host, one.is_telemetry) for one in audit.attempts]

pipeline = Pipeline()
pipeline.add_component("retriever", ColibriRetriever(store))
pipeline.run({"retriever": {"query": "Berlin"}})
if own is not None:
    import posthog

    posthog.shutdown()  # sends what waits, and ends its thread

changed = {name for name in before.keys() | os.environ.keys() if before.get(name) != os.environ.get(name)}
print(
    json.dumps(
        {
            "outside": seen,
            "pipeline": [(one.host, one.is_telemetry) for one in audit.attempts[len(seen) :]],
            "as it was": _telemetry.telemetry is own and not any("TELEMETRY" in name for name in changed),
            "on": own is not None,
            "id": (Path.home() / ".haystack" / "config.yaml").exists(),
            "torch": "torch" in sys.modules,
        }
    )
)
