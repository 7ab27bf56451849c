"""The steps to the embedded model: `python -m glas.training.embedded STEP`.

prepare         lexicon, the map from VoxForge's 15 bands, VoxForge shards, test shards
synthesise      shards of synthetic training speech, as many as asked
train           the network, from the shards that are there; stops and resumes at will
splice          VoxForge readers' words put together to new sentences
evaluate        error rates of a checkpoint on every test set
export          ONNX, int8, vocabulary, checksums: what onnx-asr loads
language-model  counts of letters, for the decoder
calibrate       how sure the model may be of its words: the file beside it, and how well it does
card            the model's card, measured on the exported files
samples         a few voice messages to try the model on
"""

import time
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)

Folder = Annotated[Path, typer.Option("--data", help="Folder for everything that training makes.")]
DATA = Path("data/training")
VoxForge = Annotated[
    Path | None, typer.Option(help="Folder with the public VoxForge-ru cepstra; left out, no real readers.")
]
Texts = Annotated[
    Path | None, typer.Option(help="Folder with plain Russian texts to speak as well (for example fortunes-ru).")
]

Recordings = Annotated[
    list[Path] | None,
    typer.Option(help="Folders of real speech with a metadata.jsonl (file_name, text); only tested on."),
]


@app.command()
def prepare(data: Folder = DATA, voxforge: VoxForge = None) -> None:
    """Build the lexicon, the map, the VoxForge shards and the synthetic test shards."""
    from glas.training.prepare import prepare_all

    prepare_all(data, voxforge)


@app.command()
def synthesise(
    data: Folder = DATA,
    texts: Texts = None,
    first: Annotated[int, typer.Option(help="Number of the first shard; it is also the seed.")] = 0,
    count: Annotated[
        int, typer.Option(help="How many shards of 500 utterances (about 27 minutes of speech each).")
    ] = 10,
    processes: Annotated[int, typer.Option(help="Shards at a time, one core each.")] = 1,
) -> None:
    """Speak training shards."""
    from glas.training.prepare import synthesise_shards

    synthesise_shards(data, range(first, first + count), texts, processes)


@app.command()
def train(
    data: Folder = DATA,
    run: Annotated[str, typer.Option(help="Name of the run; an existing one is resumed.")] = "first",
    minutes: Annotated[float, typer.Option(help="Time to spend in all, resumed runs counted together.")] = 90.0,
    processes: Annotated[int, typer.Option(help="Data-parallel processes, one core each.")] = 1,
    batch_seconds: Annotated[float, typer.Option(help="Speech per step and process.")] = 60.0,
) -> None:
    """Train the network."""
    from glas.training.train import Knobs
    from glas.training.train import train as train_network

    train_network(data, data / run, Knobs(minutes=minutes, processes=processes, batch_seconds=batch_seconds))


@app.command()
def evaluate(
    data: Folder = DATA,
    run: Annotated[str, typer.Option(help="Name of the run.")] = "first",
    recordings: Recordings = None,
    examples: Annotated[int, typer.Option(help="Utterances of each set to show.")] = 0,
) -> None:
    """Error rates of the run's checkpoint."""
    from glas.training.evaluate import evaluate as evaluate_checkpoint

    evaluate_checkpoint(data, data / run / "checkpoint.pt", recordings or [], examples)


@app.command()
def export(
    data: Folder = DATA,
    run: Annotated[str, typer.Option(help="Name of the run.")] = "first",
    to: Annotated[Path, typer.Option(help="Folder of the model.")] = Path("models/embedded"),
    narrowing: Annotated[
        float, typer.Option(help="0 to 1: features as they are, or as the 15-band map makes them.")
    ] = 0.0,
) -> None:
    """Write the run's averaged weights as onnx-asr loads them."""
    from glas.training.export import export as export_checkpoint

    export_checkpoint(data / run / "checkpoint.pt", to, data / "map.npz", narrowing)


@app.command()
def language_model(
    data: Folder = DATA,
    texts: Texts = None,
    to: Annotated[Path, typer.Option(help="Folder of the model.")] = Path("models/embedded"),
) -> None:
    """Count letters for the decoder's language model."""
    from glas.engines.character_lm import FILE
    from glas.training.export import write_checksums
    from glas.training.language_model import build

    build(data, texts, to / FILE)
    write_checksums(to)


@app.command()
def calibrate(
    data: Folder = DATA,
    model: Annotated[Path, typer.Option(help="Folder of the exported model.")] = Path("models/embedded"),
    recordings: Recordings = None,
    picture: Annotated[Path | None, typer.Option(help="SVG file of the reliability plot.")] = None,
) -> None:
    """Fit the confidence of the exported model (after export and language-model, before card)."""
    from glas.training.calibrate import calibrate as calibrate_model

    calibrate_model(data, model, recordings or [], picture)


@app.command()
def card(
    data: Folder = DATA,
    run: Annotated[str, typer.Option(help="Name of the run the model was exported from.")] = "first",
    model: Annotated[Path, typer.Option(help="Folder of the exported model.")] = Path("models/embedded"),
    recordings: Recordings = None,
    date: Annotated[str, typer.Option(help="Date of the measurement.")] = "",
) -> None:
    """Measure the exported model and write its card."""
    from glas.training.card import write_card

    write_card(data, data / run / "checkpoint.pt", model, recordings or [], date or time.strftime("%Y-%m-%d"))


@app.command()
def splice(
    data: Folder = DATA,
    run: Annotated[str, typer.Option(help="Name of the run whose checkpoint aligns.")] = "first",
    count: Annotated[int, typer.Option(help="Utterances to put together.")] = 8000,
    seed: Annotated[int, typer.Option(help="Another seed, another shard.")] = 1,
) -> None:
    """Put VoxForge readers' words together to new sentences (needs a trained checkpoint)."""
    from glas.training.splice import splice as splice_shard

    splice_shard(data, data / run / "checkpoint.pt", count, seed)


@app.command()
def samples(
    model: Annotated[Path, typer.Option(help="Folder of the exported model.")] = Path("models/embedded"),
    to: Annotated[Path, typer.Option(help="Folder of the samples.")] = Path("samples"),
    count: Annotated[int, typer.Option(help="How many messages to keep.")] = 6,
) -> None:
    """Speak sample messages with held-out voices and keep those the model hears best."""
    from glas.training.samples import write_samples

    write_samples(model, to, count)


if __name__ == "__main__":
    app()
