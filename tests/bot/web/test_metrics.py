from bot.web.metrics import RequestMetrics


def test_requests_are_counted_by_route_and_status() -> None:
    metrics = RequestMetrics()
    metrics.observe("POST", "/predict", 200, 0.003)
    metrics.observe("POST", "/predict", 200, 0.03)
    metrics.observe("POST", "/predict", 401, 0.0)

    text = metrics.render({})

    assert 'digitbot_http_requests_total{method="POST",route="/predict",status="200"} 2' in text
    assert 'digitbot_http_requests_total{method="POST",route="/predict",status="401"} 1' in text


def test_the_histogram_counts_all_that_took_at_most_so_long() -> None:
    metrics = RequestMetrics()
    for seconds in (0.005, 0.006, 0.2, 60):
        metrics.observe("GET", "/draw", 200, seconds)

    text = metrics.render({})

    counts = [line.split(" ")[1] for line in text.splitlines() if "_bucket" in line]
    assert counts == ["1", "2", "2", "2", "2", "3", "3", "3", "3", "3", "3", "4"]
    assert 'digitbot_http_request_seconds_sum{route="/draw"} 60.211000' in text
    assert 'digitbot_http_request_seconds_count{route="/draw"} 4' in text


def test_gauges_of_the_bot_are_named_after_it() -> None:
    assert "digitbot_corrections 12" in RequestMetrics().render({"corrections": 12})
