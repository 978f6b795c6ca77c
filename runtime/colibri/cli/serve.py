"""`colibri serve`."""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from colibri import machine
from colibri.cli.grouped import Grouped
from colibri.cli.index_place import IndexName, NamedPath
from colibri.cli.options import provider_option
from colibri.cli.variables import BadVariable, FromEnvironment, KeysFile, said_by
from colibri.errors import ColibriError, InputError, MissingExtra
from colibri.own import make_room, own_index

if TYPE_CHECKING:
    import socket

    from colibri.index import Index
    from colibri.model import Colibri
    from colibri.server import App, Settings
    from colibri.stores import PointStore

_PACKAGES = ("msgspec", "orjson", "prometheus_client", "starlette", "uvicorn")
log = logging.getLogger(__name__)

DEFAULT_PORT = 8080


_GROUPS = {
    "Options": ("--artefact", "--index", "--name", "--host", "--port", "--keys-file", "--without-keys"),
    "Models and answers": ("--alias", "--provider", "--workers", "--normalise-scores"),
    "Limits": (
        "--queue", "--max-texts", "--max-body-mb", "--timeout", "--header-timeout", "--body-timeout", "--write-timeout",
    ),
    "Ending": ("--drain", "--grace"),
    "A Qdrant collection in place of an index": ("--store", "--url", "--collection"),
}  # fmt: skip


class _Service(Grouped, FromEnvironment):
    """Its variables are set by units and manifests, and what cannot be is read in the server's log, a line of JSON."""

    def refuse(self, error: BadVariable, cause: BaseException) -> NoReturn:
        """Exit code 2."""
        require_extra()
        from colibri import server

        server.configure_logs()
        log.error("%s", error.format_message())
        raise SystemExit(error.exit_code) from cause


@click.command(cls=_Service, groups=_GROUPS, rest="Help", short_help="Serve Jina's API from this machine.")
@click.option(
    "--artefact",
    "artefacts",
    multiple=True,
    metavar="NAME|FOLDER|HUB-ID",
    help="Model to serve; may be given several times. Default: the one that comes along.",
)
@click.option(
    "--alias", "aliases", multiple=True, metavar="NAME=MODEL", help="Another name that requests may use for a model."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen on; 0: any that is free, which the first line of output names.",
)
@click.option(
    "--keys-file",
    type=KeysFile(),
    metavar="FILE",
    help="Ask for the keys of this file (see `colibri keys`). Read again when it changes.",
)
@click.option(
    "--without-keys/--with-keys",
    help="Let anyone who can reach an address beyond this machine use the server.",
)
@provider_option
@click.option("--workers", type=click.IntRange(min=1), help="Documents encoded at once; default: one a core.")
@click.option("--queue", type=click.IntRange(min=1), help="Requests taken at once; more are refused. Default: 64.")
@click.option("--max-texts", type=click.IntRange(min=1), help="Texts in one request. Default: 2048.")
@click.option("--max-body-mb", type=click.IntRange(min=1), help="Size of one request. Default: 32.")
@click.option("--timeout", type=click.IntRange(min=1), help="Seconds a request may take. Default: 300.")
@click.option("--header-timeout", type=click.IntRange(min=1), help="Seconds for headers to arrive. Default: 10.")
@click.option("--body-timeout", type=click.IntRange(min=1), help="Seconds for a body to arrive. Default: 60.")
@click.option(
    "--write-timeout", type=click.IntRange(min=1), help="Seconds for a client to take 64 KB of its answer. Default: 30."
)
@click.option(
    "--drain",
    type=click.IntRange(min=0),
    help="Seconds after SIGTERM to go on serving while /ready says 503, for load balancers to see. Default: 0.",
)
@click.option("--grace", type=click.IntRange(min=0), help="Seconds to finish what runs after that. Default: 30.")
@click.option(
    "--index",
    "index_folder",
    type=NamedPath(),
    metavar="FOLDER",
    help="Serve the index in this folder as well (made when it is not there).",
)
@click.option(
    "--name", "index_name", type=IndexName(), metavar="NAME", help="In place of --index: one of your own, by its name."
)
@click.option(
    "--ui/--no-ui", "with_page", help="Also serve a page at /ui/ that searches --index: for a machine in the house."
)
@click.option(
    "--store",
    type=click.Choice(["qdrant"]),
    help="In place of --index: answer from a collection at --url, which several servers may share.",
)
@click.option("--url", help="Of the Qdrant server; or QDRANT_URL. Its key: QDRANT_API_KEY.")
@click.option("--collection", metavar="NAME", help="Name of the collection (made when it is not there).")
@click.option(
    "--normalise-scores/--raw-scores", help="Divide relevance_score by the number of query tokens: at most 1."
)
def serve(
    artefacts: tuple[str, ...],
    aliases: tuple[str, ...],
    host: str,
    port: int,
    keys_file: Path | None,
    without_keys: bool,
    provider: str,
    workers: int | None,
    queue: int | None,
    max_texts: int | None,
    max_body_mb: int | None,
    timeout: int | None,
    header_timeout: int | None,
    body_timeout: int | None,
    write_timeout: int | None,
    drain: int | None,
    grace: int | None,
    index_folder: Path | None,
    index_name: str | None,
    with_page: bool,
    store: str | None,
    url: str | None,
    collection: str | None,
    normalise_scores: bool,
) -> None:
    """Serve Jina's API for late-interaction models: /v1/multi-vector, /v1/embeddings, /v1/rerank, /v1/models.

    \b
      colibri serve
      colibri serve --artefact jina-colbert-v2 --alias jina=jina-colbert-v2
      colibri keys add laptop && colibri serve --host 0.0.0.0 --keys-file colibri-keys.json

    SIGTERM or Ctrl-C ends it when what runs is done. Routes, errors and limits: docs/server.md. Every option may be
    given by its variable instead; the command line wins. All variables and exit codes: docs/operations.md.
    """
    require_extra()
    from colibri import server

    given = {
        "queue": queue,
        "texts": max_texts,
        "body_bytes": max_body_mb and max_body_mb << 20,
        "request_seconds": timeout,
        "header_seconds": header_timeout,
        "body_seconds": body_timeout,
        "write_seconds": write_timeout,
        "drain_seconds": drain,
        "grace_seconds": grace,
    }
    limits: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    settings = server.Settings(normalise_scores=normalise_scores, **limits)
    server.configure_logs()
    _tell_of_variables()
    with _explained():
        index_folder = _index_folder(index_folder, index_name)
        if with_page and index_folder is None:
            raise InputError(f"{said_by('with_page')} is a page that searches an index: give --index or --name as well")
        open_store = _store(store, url, collection, index_folder)
        _serve(
            artefacts,
            aliases,
            host,
            port,
            keys_file,
            without_keys,
            provider,
            workers,
            index_folder,
            with_page,
            open_store,
            settings,
        )


def _index_folder(folder: Path | None, name: str | None) -> Path | None:
    """Of the index to serve, by its folder or its name."""
    if name is None:
        return folder
    if folder is not None:
        raise InputError(
            f"either {said_by('index_folder')} or {said_by('index_name')}: one says a folder, the other a name"
        )
    place = own_index(name)
    make_room(place)
    return place


def _tell_of_variables() -> None:
    """Which options came from the environment, by the names of their variables alone, and which variables are none."""
    context = click.get_current_context()
    assert isinstance(context.command, FromEnvironment)
    for line in context.command.strangers():
        log.warning("%s", line)
    if obeyed := context.command.obeyed(context):
        log.info("options from the environment", extra={"fields": {"variables": obeyed}})


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """What a server cannot start with is a line of its log like the rest: whoever reads it reads JSON."""
    try:
        yield
    except ColibriError as error:
        log.error("%s", error)
        raise SystemExit(1) from None
    except OSError as error:
        log.error("%s: %s", error.filename or type(error).__name__, error.strerror or error)
        raise SystemExit(1) from None
    except Exception as error:  # a bug
        log.critical("%s", type(error).__name__, exc_info=True)
        raise SystemExit(1) from None


def _serve(
    artefacts: tuple[str, ...],
    aliases: tuple[str, ...],
    host: str,
    port: int,
    keys_file: Path | None,
    without_keys: bool,
    provider: str,
    workers: int | None,
    index_folder: Path | None,
    with_page: bool,
    open_store: "Callable[[Colibri], PointStore] | None",
    settings: "Settings",
) -> None:
    from colibri import server
    from colibri.index import Index
    from colibri.machine import physical_cores

    names = dict(_alias(alias) for alias in aliases)
    keys = server.KeyRing(keys_file) if keys_file is not None else None
    listener = server.bound(host, port)
    local = server.is_loopback(listener)
    if keys is None and not local and not without_keys:
        raise InputError(
            f"{host}: others can reach that address; give --keys-file FILE, or --without-keys to let anyone in"
        )
    if keys is not None and not len(keys):
        log.warning("%s holds no key, so nobody is let in; `colibri keys add NAME` makes one", keys_file)
    models = server.load_all(artefacts, names, workers=workers, provider=provider)
    for model in models.loaded:
        if model.provider.name == "cpu" and provider != "cpu" and accelerators():
            log.warning("%s: %s", model.name, model.provider)
        licence = model.manifest.licence
        if not licence.commercial_use:
            terms = "Not for commercial use." if licence.forbids_commercial_use else licence.notice
            log.warning("%s: licence %s. %s", model.name, licence.id, terms)
    page = _Page(listener, asks_token=keys is None and not without_keys) if with_page else None
    app, index = server.assemble(
        models,
        settings,
        keys=keys,
        any_host=keys is not None or without_keys,
        places=(workers or physical_cores()) + 1,  # the next is there when a worker has nothing left of the others
        index_folder=index_folder,
        open_store=open_store,
        page=None if page is None else page.add,
    )

    def announce() -> None:
        served = ", ".join(f"{model.name} ({model.provider.variant})" for model in models.loaded)
        click.echo(f"{server.url(listener)} serves {served}{f' and {index!r}' if index is not None else ''}")
        if page is not None:
            click.echo(page.address)

    try:
        with contextlib.ExitStack() as announced:
            if isinstance(index, Index) and (local or keys is not None):
                # Searches of this user's other terminals ask this process.
                secret = None if keys is None else keys.own_key()
                announced.enter_context(machine.announce(index.path, server.url(listener), secret, page=False))
            server.run(app, listener, announce)
    finally:
        if index is not None:
            index.close()


class _Page:
    """The page of `colibri serve --ui`. Without keys it asks for a token, which its address brings; where anybody may
    use the server (--without-keys) for nothing."""

    def __init__(self, listener: "socket.socket", *, asks_token: bool) -> None:
        from colibri.server import url
        from colibri.ui import Guard, page_address

        self._port: int | None = listener.getsockname()[1] if asks_token else None
        self._token = Guard.new_token() if asks_token else None
        self.address = page_address(url(listener), **({} if self._token is None else {"token": self._token}))

    def add(self, app: "App", index: "Index", model: "Colibri") -> None:
        """Its routes."""
        from colibri.ui import add_search_page

        add_search_page(app, index, model, token=self._token, port=self._port)


def _store(
    store: str | None, url: str | None, collection: str | None, index_folder: Path | None
) -> "Callable[[Colibri], PointStore] | None":
    """Opens the collection that was named, with a model; None where none was."""
    if store is None:
        for option, value in (("collection", collection), ("url", url)):
            if value is not None:
                raise InputError(f"{said_by(option)} is of a Qdrant server: give --store qdrant as well")
        return None
    if index_folder is not None:
        raise InputError("either --index or --store: one server answers from one of them")
    url = url or os.environ.get("QDRANT_URL")
    if not url or collection is None:
        raise InputError(f"--store {store} wants --url (or QDRANT_URL) and --collection")
    from colibri.stores import connected

    place, name = url, collection  # of narrowed types
    return lambda model: connected(place, name, model=model)


def accelerators() -> list[str]:
    """ONNX Runtime's providers here beside the CPU's: what a machine without a GPU cannot use, and shall hear of."""
    import onnxruntime

    ours = {"CPUExecutionProvider", "AzureExecutionProvider"}
    return [name for name in onnxruntime.get_available_providers() if name not in ours]


def require_extra(extra: str = "server") -> None:
    """Raises MissingExtra, naming what to install, when a package of the server is not there. extra: that brings it."""
    missing = [name for name in _PACKAGES if util.find_spec(name) is None]
    if missing:
        how = machine.install_command(extra)
        raise MissingExtra(f"no {', '.join(missing)} (colibri-edge[{extra}]): {how}")


def _alias(word: str) -> tuple[str, str]:
    name, equals, model = word.partition("=")
    if not (name and equals and model):
        raise InputError(f"{said_by('aliases')} {word}: wanted NAME=MODEL")
    return name, model
