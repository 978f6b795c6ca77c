"""Importing this makes sure that Haystack is here, in a version that Colibri's components were tried with.

Each package of `haystack_integrations` that is ours imports it before anything of Haystack's.
"""

from colibri.compat.versions import require

require("colibri.compat.haystack", "haystack-ai", "3", "4", "haystack")
