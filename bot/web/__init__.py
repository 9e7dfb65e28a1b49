"""One web application: HTTP API, draw page, health and metrics."""
