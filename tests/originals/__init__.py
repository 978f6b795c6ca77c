"""Calls of the packages that `colibri.compat` speaks for, each written once and run under both names.

`tests/golden/make_compat.py` runs them with the real packages and keeps what they gave; `tests/compat` runs them with
ours and compares. A module here imports nothing but what it is handed: `modules("colbert.infra")` is the original's
module or ours.
"""
