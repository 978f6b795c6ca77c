"""A process of its own, with LangSmith's tracing as its environment says: who asked for addresses, as JSON."""

import json
import sys
import tempfile

from frameworks.audit import Audit

audit = Audit()
audit.install()

from langchain_core.documents import Document  # noqa: E402
from langchain_core.tracers.langchain import wait_for_all_tracers  # noqa: E402

from colibri.compat.langchain import ColibriReranker, ColibriRetriever, ColibriVectorStore  # noqa: E402

store = ColibriVectorStore(tempfile.mkdtemp())
store.add_texts(["Berlin has 3.7 million inhabitants."])
ColibriReranker().compress_documents([Document(page_content="Berlin")], "Berlin")
seen = [(one.host, one.is_telemetry) for one in audit.attempts]
ColibriRetriever(index=store.index).invoke("Berlin")
wait_for_all_tracers()
found = [(one.host, one.is_telemetry) for one in audit.attempts[len(seen) :]]
print(json.dumps({"ours": seen, "traced": found, "torch": "torch" in sys.modules}))
