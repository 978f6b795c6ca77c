"""What other packages' users say of hub ids (`cache_folder`, `revision`, `token`, `local_files_only`) is obeyed."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from colibri import load
from colibri.compat.fastembed import LateInteractionTextEmbedding
from colibri.compat.options import hub_words, loaded
from colibri.compat.pylate.models import ColBERT
from colibri.compat.sentence_transformers import MultiVectorEncoder
from colibri.errors import ArtefactNotFound, InputError, InputTypeError
from hub_server import COMMIT, lay_out_cache
from reference import ARTEFACTS

BERT, OTHER = ARTEFACTS / "tiny-random-bert", "f" * 40


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub's cache with two commits of owner/tiny; "v2" is the second."""
    root = tmp_path_factory.mktemp("cache")
    snapshot = lay_out_cache(root, "owner/tiny", BERT)
    shutil.copytree(snapshot, snapshot.with_name(OTHER), symlinks=True)
    (root / "models--owner--tiny" / "refs" / "v2").write_text(OTHER, encoding="utf-8")
    return root


@pytest.mark.parametrize("shim", [ColBERT, MultiVectorEncoder])
def test_they_choose_what_is_loaded(shim: Callable[..., Any], cache: Path) -> None:
    here: dict[str, Any] = {"cache_folder": str(cache), "local_files_only": True, "token": "hf_x", "device": "cpu"}
    for revision in (None, "main", COMMIT, "v2", OTHER):
        assert len(shim("owner/tiny", revision=revision, **here).encode(["a bird"])) == 1
    with pytest.raises(ArtefactNotFound, match="local_files_only asks no hub"):
        shim("owner/tiny", revision="v3", **here)
    with pytest.raises(ArtefactNotFound, match="local_files_only asks no hub"):
        shim("owner/other", **here)
    with pytest.raises(ArtefactNotFound, match="which has no revisions"):
        shim(str(BERT), revision="v2")
    with pytest.raises(InputTypeError, match="revision"):
        shim("owner/tiny", revision=2)
    with pytest.raises(InputError, match="beside a loaded model"):
        shim(load(BERT), revision="v2")


def test_models_of_two_revisions_are_two(cache: Path) -> None:
    words = {"cache_folder": str(cache), "local_files_only": True}
    one, other, again = (
        loaded("owner/tiny", hub=hub_words(revision=revision, **words)) for revision in (COMMIT, OTHER, "v2")
    )
    assert one is not other
    assert other is again


def test_pylates_older_word_for_a_token_is_one() -> None:
    wrong: Any = 3
    with pytest.raises(InputTypeError, match="token: found int"):
        ColBERT("owner/other", use_auth_token=wrong)
    with pytest.raises(ArtefactNotFound):  # the newer word comes first, also where it says none
        ColBERT("owner/other", token=False, use_auth_token=wrong, local_files_only=True)


def test_fastembeds_words(cache: Path) -> None:
    model = LateInteractionTextEmbedding("owner/tiny", cache_dir=str(cache), local_files_only=True)
    assert next(model.embed("a bird")).shape[1] == model.embedding_size
    with pytest.raises(ArtefactNotFound, match="local_files_only asks no hub"):
        LateInteractionTextEmbedding("owner/other", cache_dir=str(cache), local_files_only=True)


def test_a_token_is_never_logged(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ColBERT("owner/tiny", cache_folder=str(cache), token="hf_secret", local_files_only=True)
    assert "hf_secret" not in caplog.text
