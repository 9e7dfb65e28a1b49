"""Counts and times of requests, in Prometheus' text format."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds."""


class RequestMetrics:
    """What `/metrics` tells about the requests to the routes of the web application."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds: dict[str, list[int]] = {}
        self._total_seconds: defaultdict[str, float] = defaultdict(float)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests[method, route, status] += 1
        self._seconds.setdefault(route, [0] * (len(BUCKETS) + 1))[bisect_left(BUCKETS, seconds)] += 1
        self._total_seconds[route] += seconds

    def render(self, gauges: Mapping[str, float]) -> str:
        """All figures, and ``gauges`` under ``digitbot_`` and their names."""
        return "\n".join([*self._counters(), *self._histograms(), *_gauges(gauges)]) + "\n"

    def _counters(self) -> Iterator[str]:
        yield "# HELP digitbot_http_requests_total Requests answered."
        yield "# TYPE digitbot_http_requests_total counter"
        for (method, route, status), count in sorted(self._requests.items()):
            labels = f'method="{method}",route="{route}",status="{status}"'
            yield f"digitbot_http_requests_total{{{labels}}} {count}"

    def _histograms(self) -> Iterator[str]:
        name = "digitbot_http_request_seconds"
        yield f"# HELP {name} Time from the request's head to its answer."
        yield f"# TYPE {name} histogram"
        for route, counts in sorted(self._seconds.items()):
            below = 0
            for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
                below += count
                yield f'{name}_bucket{{route="{route}",le="{bound}"}} {below}'
            yield f'{name}_sum{{route="{route}"}} {self._total_seconds[route]:.6f}'
            yield f'{name}_count{{route="{route}"}} {below}'


def _gauges(gauges: Mapping[str, float]) -> Iterator[str]:
    for name, value in sorted(gauges.items()):
        yield f"# TYPE digitbot_{name} gauge"
        yield f"digitbot_{name} {value:g}"
