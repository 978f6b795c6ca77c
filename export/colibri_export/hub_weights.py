"""Weight files into the hub's cache, going on where a broken download stopped, even in another process.

The hub client resumes only within one call: since 2.0 it deletes what an interrupted one has written
(huggingface_hub pull request 4228). A gigabyte deserves better.
"""

import re
from pathlib import Path

from colibri.artefact import file_sha256
from colibri.errors import ExportError

_SHA256 = re.compile(r"[0-9a-f]{64}")


def fetch_weights(repo: str, commit: str, name: str, cache_dir: Path | None) -> None:
    """Put one weight file among the cache's blobs, where `snapshot_download` finds it. Bars on stderr.

    A file the repository does not have is left out, and one that is not named by its SHA-256 is left to the client.
    Raises ExportError when the bytes are not those the hub announced, and what the client raises.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url  # noqa: PLC0415
    from huggingface_hub.errors import EntryNotFoundError  # noqa: PLC0415
    from huggingface_hub.file_download import http_get, repo_folder_name  # noqa: PLC0415
    from huggingface_hub.utils import WeakFileLock, build_hf_headers  # type: ignore[attr-defined]  # noqa: PLC0415

    url = hf_hub_url(repo, name, revision=commit)
    try:
        announced = get_hf_file_metadata(url)
    except EntryNotFoundError:
        return
    etag, size = announced.etag, announced.size
    if etag is None or size is None or not _SHA256.fullmatch(etag):
        return
    blobs = (
        Path(cache_dir or constants.HF_HUB_CACHE).expanduser()
        / repo_folder_name(repo_id=repo, repo_type="model")
        / "blobs"
    )
    blobs.mkdir(parents=True, exist_ok=True)
    blob, partial = blobs / etag, blobs / f"{etag}.colibri-partial"
    with WeakFileLock(blobs / f"{etag}.colibri-lock"):
        if blob.exists():
            return
        if partial.exists() and partial.stat().st_size > size:
            partial.unlink()
        with partial.open("ab") as file:
            # Headers with the user's token, if any: both clients drop them when they are sent on to another host.
            http_get(
                url,
                file,
                resume_size=file.tell(),
                headers=build_hf_headers(),
                expected_size=size,
                displayed_filename=name,
            )
        if file_sha256(partial) != etag:
            partial.unlink()
            raise ExportError(f"{repo}: {name} arrived damaged (SHA-256 differs) and was removed; run it again")
        partial.rename(blob)
