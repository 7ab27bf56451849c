"""Metrics for Prometheus, counted in the database at each request, so that they are right after a restart."""

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from glas.clients.db_assist_bodies import Statistics


def render(figures: Statistics) -> bytes:
    """Return the metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    messages = Gauge("glas_transcriptions", "Messages by status", ["status"], registry=registry)
    for status, count in figures.n_transcriptions.items():
        messages.labels(status).set(count)
    scores = Gauge("glas_scores", "Finished messages by score; 0 is not rated", ["score"], registry=registry)
    for score, count in figures.n_scores.items():
        scores.labels(str(score)).set(count)
    for name, help_text, value in (
        ("glas_users", "Registered people", figures.n_users),
        ("glas_active_users", "People who sent something in the last 24 hours", figures.n_active_users),
        ("glas_corrections", "Messages with a correction", figures.n_corrections),
        ("glas_stored_audio_seconds", "Seconds of recognised audio", figures.audio_s),
        ("glas_ledger_coins", "Sum of the ledger, coins", figures.paid_hundredths / 100),
    ):
        Gauge(name, help_text, registry=registry).set(value)
    return generate_latest(registry)
