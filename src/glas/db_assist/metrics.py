"""Make the metrics of db_assist for Prometheus; each request counts the rows in the database."""

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from glas.clients.db_assist_bodies import Statistics


def render(figures: Statistics, *, n_wrong_balances: int) -> bytes:
    """Return the metrics in Prometheus' text format.

    Args:
        figures: the counts that the route `/statistics` returns.
        n_wrong_balances: number of people whose balance differs from the sum of their ledger entries.
    """
    registry = CollectorRegistry()
    messages = Gauge("glas_database_messages", "Messages by status", ["status"], registry=registry)
    for status, count in figures.n_transcriptions.items():
        messages.labels(status).set(count)
    scores = Gauge(
        "glas_database_finished_messages",
        "Finished messages by score; 0 is not rated",
        ["score"],
        registry=registry,
    )
    for score, count in figures.n_scores.items():
        scores.labels(str(score)).set(count)
    for name, help_text, value in (
        ("glas_database_people", "Registered people", figures.n_users),
        ("glas_database_active_people", "People who sent something in the last 24 hours", figures.n_active_users),
        ("glas_database_corrected_messages", "Messages with a correction", figures.n_corrections),
        ("glas_database_audio_seconds", "Seconds of recognised audio", figures.audio_s),
        ("glas_ledger_paid_coins", "Sum of the ledger, coins", figures.paid_hundredths / 100),
        (
            "glas_ledger_wrong_balances",
            "People whose balance differs from the sum of their ledger entries; counted every five minutes",
            n_wrong_balances,
        ),
    ):
        Gauge(name, help_text, registry=registry).set(value)
    return generate_latest(registry)
