"""Test which people a candidate answers: the given share, always the same people, and others for another candidate."""

from glas.domain.canary import N_BUCKETS, chosen_buckets
from glas.tg_bot.voices.pseudonyms import Pseudonyms

PEOPLE = range(5_000_000_001, 5_000_010_001)


def test_a_share_is_exact_and_grows_without_change() -> None:
    before = chosen_buckets("a", 0)
    assert before == frozenset()
    for percent in range(1, N_BUCKETS + 1):
        chosen = chosen_buckets("a", percent / 100)
        assert len(chosen) == percent
        assert before < chosen
        before = chosen
    assert before == frozenset(range(N_BUCKETS))


def test_another_candidate_answers_other_people() -> None:
    assert chosen_buckets("a", 0.2) == chosen_buckets("a", 0.2)
    assert len(chosen_buckets("a", 0.2) & chosen_buckets("b", 0.2)) < 10


def test_people_are_spread_evenly_over_the_buckets() -> None:
    """Each bot assigns buckets differently, so a bucket reveals nothing about a person of another bot."""
    first, second = Pseudonyms("1:a"), Pseudonyms("1:b")
    buckets = [first.bucket(person) for person in PEOPLE]
    assert buckets == [first.bucket(person) for person in PEOPLE]
    assert set(buckets) == set(range(N_BUCKETS))
    assert max(buckets.count(bucket) for bucket in range(N_BUCKETS)) < 2 * len(PEOPLE) / N_BUCKETS
    n_same = sum(first.bucket(person) == second.bucket(person) for person in PEOPLE)
    assert n_same < 2 * len(PEOPLE) / N_BUCKETS
