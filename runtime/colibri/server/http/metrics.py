"""What Prometheus reads of one server."""

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
    generate_latest,
)

from colibri import __version__
from colibri.model import Colibri

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nothing here needs

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counters, gauges and histograms, in a registry of their own."""

    def __init__(self, models: Iterable[Colibri]) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "colibri_requests", "Requests answered.", ["route", "method", "status"], registry=registry
        )
        self.seconds = Histogram(
            "colibri_request_seconds",
            "From a request's headers to the end of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=registry,
        )
        self.waited = Histogram(
            "colibri_queue_seconds", "What a request waited for its turn.", buckets=_SECONDS, registry=registry
        )
        self.errors = Counter("colibri_errors", "Answers that are no success.", ["code"], registry=registry)
        self.tokens = Counter("colibri_tokens", "Tokens run through a model.", ["model", "role"], registry=registry)
        self.texts = Counter("colibri_texts", "Texts encoded.", ["model", "role"], registry=registry)
        self.truncated = Counter(
            "colibri_truncated_texts", "Texts that were cut at the model's limit.", ["model", "role"], registry=registry
        )
        self.abandoned = Counter(
            "colibri_abandoned_requests", "Requests whose client hung up before the answer.", registry=registry
        )
        self.admitted = Gauge("colibri_admitted_requests", "Requests that wait or run.", registry=registry)
        self.running = Gauge("colibri_running_slices", "Slices of requests being encoded.", registry=registry)
        self.queue_seconds = Gauge("colibri_queue_expected_seconds", "Work that is admitted.", registry=registry)
        self.connections = Gauge("colibri_connections", "Open connections.", registry=registry)
        Info("colibri", "This server.", registry=registry).info({"version": __version__})
        self._models = list(models)
        self._about = Gauge(
            "colibri_model_info",
            "1 for each model that is served.",
            ["model", "variant", "provider", "licence", "commercial_use", "dimensions", "truncated"],
            registry=registry,
        )

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        self._about.clear()  # the provider may have made way for another since
        for model in self._models:
            licence = model.manifest.licence
            cut = [str(head.dim) for head in model.manifest.heads if head.truncated_from]
            self._about.labels(
                model=model.name,
                variant=model.provider.variant,
                provider=model.provider.name,
                licence=licence.id,
                commercial_use=str(licence.commercial_use).lower(),
                dimensions=",".join(map(str, model.dims)),
                truncated=",".join(cut),
            ).set(1)
        return generate_latest(self._registry)
