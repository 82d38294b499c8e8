"""What Prometheus is told: requests, batches, cells, queues. Each application has a registry of its own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_CELLS = (1, 2, 4, 8, 16, 24, 32, 64, 128)


class ServerMetrics:
    """The server's counters. All names begin with ``plasmolite_``."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "plasmolite_requests",
            "Requests answered.",
            ("endpoint", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "plasmolite_request_seconds",
            "Time from the first line of a request to its answer, in seconds.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.cells = Counter("plasmolite_cells", "Cells judged.", ("source", "label"), registry=self.registry)
        self.fields = Counter("plasmolite_fields", "Fields analysed.", ("outcome",), registry=self.registry)
        self.batch_cells = Histogram(
            "plasmolite_batch_cells", "Cells in one inference.", buckets=_CELLS, registry=self.registry
        )
        self.refused = Counter(
            "plasmolite_refused",
            "Requests sent away because a queue was full.",
            ("queue",),
            registry=self.registry,
        )
        self.waiting_cells = Gauge(
            "plasmolite_waiting_cells", "Cells that wait for the network.", registry=self.registry
        )
        self.viewers = Gauge("plasmolite_viewers", "Viewers of the live stream.", registry=self.registry)
        self.free_bytes = Gauge(
            "plasmolite_disk_free_bytes", "Free space on the disk of the slides.", registry=self.registry
        )
        self.model = Gauge(
            "plasmolite_model_info", "The model in use.", ("name", "sha256"), registry=self.registry
        )

    def exposition(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self.registry)
