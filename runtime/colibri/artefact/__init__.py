"""A name or a folder to a model's checked facts: found, read, held against their rules, its files hashed.

In comes what a user calls a model, out goes an `Artefact`: a folder and its `Manifest`, the contract between export
and runtime. It stands on `errors` and `machine`. It must never import what runs a model: no tokenizer, provider or
graph.
"""

from typing import TYPE_CHECKING

from colibri.machine import door

if TYPE_CHECKING:
    from colibri.artefact.checking import Checking, check_files
    from colibri.artefact.cutoffs import FITS, NOTHING_FITS, Bounds, Fit, bounds, fit_of
    from colibri.artefact.finding import DEFAULT, Artefact, find, shipped
    from colibri.artefact.hashing import file_sha256, part_count
    from colibri.artefact.hub import client_wanted, has_client, prepare_client
    from colibri.artefact.manifest import (
        Architecture,
        CutoffRow,
        Cutoffs,
        Engine,
        Expansion,
        FileEntry,
        GoldenRow,
        GoldenScores,
        Graph,
        Head,
        Licence,
        Manifest,
        Parity,
        Profile,
        Role,
        RoleName,
        Skiplist,
        Source,
        TokenizerSpec,
        Variant,
    )
    from colibri.artefact.manifest_file import FILE_NAME, FORMAT, needed_format, read_manifest, write_manifest
    from colibri.artefact.places import Held, aliases, held, meant, search_path, user_models
    from colibri.artefact.typed_json import parse_typed
else:
    __getattr__, __dir__ = door(
        __name__,
        {
            "checking": "Checking check_files",
            "cutoffs": "FITS NOTHING_FITS Bounds Fit bounds fit_of",
            "finding": "DEFAULT Artefact find shipped",
            "hashing": "file_sha256 part_count",
            "hub": "client_wanted has_client prepare_client",
            "manifest": "Architecture CutoffRow Cutoffs Engine Expansion FileEntry GoldenRow GoldenScores Graph Head "
            "Licence Manifest Parity Profile Role RoleName Skiplist Source TokenizerSpec Variant",
            "manifest_file": "FILE_NAME FORMAT needed_format read_manifest write_manifest",
            "places": "Held aliases held meant search_path user_models",
            "typed_json": "parse_typed",
        },
    )
