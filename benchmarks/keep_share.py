"""How often the choice of a share of a learnt change is wrong by chance, by simulation.

    python -m benchmarks.keep_share

A simulated set has sentences of 13 words. The base writes 15 of 100 words wrong, those of one sentence more often than
those of another. A share of a change corrects some of the wrong words and spoils some of the right ones; `CHANGED` is
the part of the words that it changes if it loses nothing, and the size of the loss comes on top. It was chosen so that
differences vary as much as in a measurement with people's speech (docs/lab-notes.md). The rule of
`glas.training.finetune.share` sees the errors only. Rows: how many sentences the set has. Columns: how often a share is
refused that loses nothing, and how often one is kept that loses 1 or 2 points.
"""

import argparse

import numpy as np

from glas.training.finetune.share import MOST_WORSE, Loss, loss_of

N_WORDS = 13
WRONG = 0.15
SPREAD = 4.0  # parameters of the beta distribution of a sentence's error rate add up to this
CHANGED = 0.05
RESAMPLES = 500


def drawn_loss(chance: np.random.Generator, n_sentences: int, true_loss: float) -> Loss:
    """Draw a set and measure the loss of a share on it."""
    rate = chance.beta(SPREAD * WRONG, SPREAD * (1 - WRONG), n_sentences)
    wrong = chance.binomial(N_WORDS, rate)
    corrected = chance.binomial(wrong, CHANGED / 2 / WRONG)
    spoilt = chance.binomial(N_WORDS - wrong, (CHANGED / 2 + true_loss) / (1 - WRONG))
    after = wrong - corrected + spoilt
    words, speakers = [N_WORDS] * n_sentences, [None] * n_sentences
    return loss_of(wrong.tolist(), after.tolist(), words, speakers, resamples=RESAMPLES)


def refused(n_sentences: int, *, loss: float, n_sets: int, seed: int = 1) -> tuple[float, float]:
    """Return how often a share is refused that really loses so much: by the rule, and by the estimate alone.

    Args:
        n_sentences: sentences of a set.
        loss: the true loss of word error rate.
        n_sets: sets that are drawn.
        seed: the same seed draws the same sets.
    """
    chance = np.random.default_rng(seed)
    found = [drawn_loss(chance, n_sentences, loss) for _ in range(n_sets)]
    return sum(one.is_too_large for one in found) / n_sets, sum(one.wer > MOST_WORSE for one in found) / n_sets


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=1000)
    n_sets = parser.parse_args().sets
    print("sentences | nothing lost: refused | 1 point: kept | 2 points: kept | the same by the estimate alone")
    for n_sentences in (20, 40, 80, 150, 300):
        none, one, two = (refused(n_sentences, loss=loss, n_sets=n_sets) for loss in (0.0, 0.01, 0.02))
        cells = [f"{100 * part:.0f} %" for n in (0, 1) for part in (none[n], 1 - one[n], 1 - two[n])]
        print(f"{n_sentences} | {' | '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
