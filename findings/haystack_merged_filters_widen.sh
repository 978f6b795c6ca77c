#!/usr/bin/env bash
# One would expect: a retriever with FilterPolicy.MERGE "combines runtime filters with initialization filters to narrow down
# the search" (InMemoryBM25Retriever's words), so that what a filter of the constructor keeps out, such as another tenant's
# documents, stays out whatever filters a call brings.
# What happens: where a call's filter is a logical one of another operator than AND (or, beside a logical one of the
# constructor, of another than its own), the constructor's is dropped, with a line in the log, and so it is where the call's
# names the same field: a call's filter can undo it.
# Whom it matters to: whoever keeps tenants or languages apart with a retriever's own filters and lets callers add theirs;
# join them by {"operator": "AND", "conditions": [own, theirs]} and pass that.
# Versions: haystack-ai 3.4.1. Source: haystack/document_stores/types/filter_policy.py. Exit code 1 when this changes.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet "haystack-ai==3.4.1"
cat > "$scratch/one.py" <<'PY'
from haystack import Document
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.document_stores.types import FilterPolicy

store = InMemoryDocumentStore()
store.write_documents([Document(id=f"{t}-{l}", content="bread", meta={"tenant": t, "lang": l}) for t in "ab" for l in ("de", "en")])


def is_(field, value):
    return {"field": f"meta.{field}", "operator": "==", "value": value}


retriever = InMemoryBM25Retriever(store, filters=is_("tenant", "a"), filter_policy=FilterPolicy.MERGE)
either = {"operator": "OR", "conditions": [is_("lang", "de"), is_("lang", "en")]}
for name, filters in (("one more field", is_("lang", "de")), ("either language", either), ("another tenant", is_("tenant", "b"))):
    print(f"{name}: {sorted(one.id for one in retriever.run('bread', filters=filters)['documents'])}")
PY
HOME="$scratch" HAYSTACK_TELEMETRY_ENABLED=False "$scratch/venv/bin/python" "$scratch/one.py" | tee "$scratch/said.txt"
if ! grep -q "^one more field: \['a-de'\]" "$scratch/said.txt" || ! grep -q "^either language: .*'b-de'" "$scratch/said.txt" \
    || ! grep -q "^another tenant: \['b-de', 'b-en'\]" "$scratch/said.txt"; then
    echo "changed: the finding holds no more"
    exit 1
fi
