"""Test the catalogue of messages: both languages have all messages, the code uses all, numbers have right nouns."""

import ast
import re
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from glas.domain.errors import GlasError
from glas.localisation import Catalogue, catalogue, language_of, rounded
from glas.localisation.catalogue import LANGUAGES
from glas.localisation.fluent import Choice, Pattern, parse_pattern, read_messages, variables_of
from glas.localisation.plurals import plural_category
from tests.conftest import ROOT

SOURCES = ROOT / "src" / "glas"
RU, EN = (catalogue(language) for language in LANGUAGES)
# Names that are put together where they are used: `say(f"role-{…}")`.
_BY_PREFIX = ("error-", "language-")
COUNTS = (0, 1, 2, 3, 4, 5, 10, 11, 12, 14, 19, 20, 21, 22, 25, 100, 101, 102, 111, 112, 121, 1000, 1001)


@cache
def _trees() -> list[tuple[Path, ast.Module]]:
    return [(path, ast.parse(path.read_text(encoding="utf-8"))) for path in sorted(SOURCES.rglob("*.py"))]


def _calls() -> Iterator[tuple[str, ast.Call]]:
    """Return the calls of a catalogue whose message name is a literal."""
    for path, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("say", "said_now"):
                yield path.name, node


def _names(value: ast.expr) -> Iterator[str]:
    """Return the names that an argument can have."""
    match value:
        case ast.Constant(value=str(name)):
            yield name
        case ast.IfExp(body=body, orelse=other):
            yield from _names(body)
            yield from _names(other)


def _prefixes() -> set[str]:
    found = set(_BY_PREFIX)
    for _, call in _calls():
        match call.args:
            case [ast.JoinedStr(values=[ast.Constant(value=str(prefix)), *_])]:
                found.add(prefix)
    return found


def _errors(root: type[GlasError] = GlasError) -> Iterator[type[GlasError]]:
    yield root
    for child in root.__subclasses__():
        yield from _errors(child)


def test_both_languages_have_the_same_messages() -> None:
    """Both languages have all messages, with equal variables."""
    assert RU.names() == EN.names()
    assert {name: RU.variables(name) for name in RU.names()} == {name: EN.variables(name) for name in EN.names()}


def test_every_message_that_the_code_names_exists() -> None:
    """Each call gives a value for each variable of its message."""
    for place, call in _calls():
        values = {keyword.arg for keyword in call.keywords}
        for name in _names(call.args[0]):
            assert name in RU, (place, name)
            assert None in values or RU.variables(name) <= values, (place, name, RU.variables(name) - values)
            assert None in values or values <= RU.variables(name), (place, name, values - RU.variables(name))


def _named_by_templates() -> set[str]:
    """Return the names of messages in the templates of pages, which occur only in calls."""
    found: set[str] = set()
    for template in SOURCES.glob("web/templates/pages/*.html"):
        calls = re.findall(r"""\bsay\((["'])([\w-]+)\1""", template.read_text(encoding="utf-8"))
        found |= {name for _, name in calls}
    return found


def test_every_message_that_a_template_names_exists() -> None:
    assert _named_by_templates() - RU.names() == set()
    assert "page-brand" in _named_by_templates()


def test_every_message_is_used() -> None:
    """The name of each message, or the beginning of the name in a call, occurs in the code or in a template."""
    constants = {
        node.value
        for path, tree in _trees()
        if "localisation" not in path.parts
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    prefixes = tuple(_prefixes())
    constants |= _named_by_templates()
    assert not {name for name in RU.names() - constants if not name.startswith(prefixes)}


def test_every_error_has_a_sentence() -> None:
    """Each error has a sentence for the bot and the command line, and each sentence has an error."""
    import glas.recognition.job
    import glas.tg_bot.api.telegram
    import glas.tg_bot.talk.signing
    import glas.tg_bot.voices.admission
    import glas.web.access.guard  # noqa: F401 - its errors belong to the tree

    codes = {cls.code for cls in _errors() if cls.__module__.startswith("glas.")}
    named = {name.removeprefix("error-") for name in RU.names() if name.startswith("error-")}
    assert codes == named
    assert RU.error("no such code") == RU.error("internal_error")
    assert RU.error("upload_too_large", 200).startswith("Файл больше 200 МБ.")
    assert RU.error("upload_too_large").startswith("Файл слишком большой.")


def test_sentences_are_not_for_engineers() -> None:
    """The sentence for people differs from the message for engineers."""
    for say in (RU, EN):
        for name in say.names():
            if name.startswith("error-"):
                assert not re.search(r"\b(expected|got)\b", say(name, limit=1)), name


def _choices(pattern: Pattern) -> Iterator[Choice]:
    for part in pattern:
        if isinstance(part, Choice):
            yield part
            for variant in part.variants.values():
                yield from _choices(variant)


@pytest.mark.parametrize("say", [RU, EN], ids=LANGUAGES)
def test_every_count_finds_a_variant(say: Catalogue) -> None:
    """Each variant of a message with a choice is used for some number, and each number gives a text."""
    for name in sorted(say.names()):
        for choice in _choices(say._pattern(name)):
            values = (*COUNTS, Decimal("1.5"), "none")
            reached = {say._chosen(choice, {choice.variable: value}) for value in values}
            assert reached == set(choice.variants), (name, choice)


@pytest.mark.parametrize(
    ("category", "counts"),
    [
        ("one", (1, 21, 31, 101, 121, 1001)),
        ("few", (2, 3, 4, 22, 24, 102, 1002)),
        ("many", (0, 5, 9, 10, 11, 12, 13, 14, 15, 20, 25, 100, 111, 112, 114, 211, 1000)),
        ("other", (Decimal("0.5"), Decimal("1.0"), Decimal("2.5"), Decimal("21.1"))),
    ],
)
def test_russian_counts_in_three_ways(category: str, counts: tuple[int | Decimal, ...]) -> None:
    """The rules of CLDR are used; a number with decimals has a fourth form."""
    assert {plural_category("ru", number) for number in counts} == {category}
    assert {plural_category("ru", -number) for number in counts} == {category}


@pytest.mark.parametrize(
    ("count", "russian", "english"),
    [
        (1, "1 запись и", "1 recording and"),
        (2, "2 записи и", "2 recordings and"),
        (5, "5 записей и", "5 recordings and"),
        (11, "11 записей и", "11 recordings and"),
        (21, "21 запись и", "21 recordings and"),
        (22, "22 записи и", "22 recordings and"),
        (25, "25 записей и", "25 recordings and"),
        (112, "112 записей и", "112 recordings and"),
    ],
)
def test_nouns_follow_their_numbers(count: int, russian: str, english: str) -> None:
    assert russian in RU("forgotten", count=count)
    assert english in EN("forgotten", count=count)


@pytest.mark.parametrize(
    ("limit", "russian"),
    [(1, "больше 1 минуты"), (2, "больше 2 минут"), (21, "больше 21 минуты"), (120, "больше 120 минут")],
)
def test_limits_stand_in_the_genitive(limit: int, russian: str) -> None:
    assert russian in RU("daily-limit", minutes=limit)


@pytest.mark.parametrize(
    ("speed", "russian"),
    [
        ("4", "в 4 раза"),
        ("5", "в 5 раз"),
        ("21", "в 21 раз"),
        ("22", "в 22 раза"),
        ("4.5", "в 4,5 раза"),
        ("12", "в 12 раз"),
    ],
)
def test_times_faster(speed: str, russian: str) -> None:
    assert f"{russian} быстрее" in RU("doctor-model", title="M", name="m", text="да", times=Decimal(speed))
    assert f"{russian} быстрее" in RU("run-cost", duration="1", seconds="1", times=Decimal(speed))


def test_numbers_are_written_as_the_language_does() -> None:
    assert (RU("coins", amount=Decimal("-2.5")), EN("coins", amount=Decimal("-2.5"))) == ("−2,5 монеты", "−2.5 coins")
    assert (rounded(2, 2), rounded(0.126, 2)) == (Decimal("2.00"), Decimal("0.13"))


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en", "en"),
        ("en-GB", "en"),
        ("en_US.UTF-8", "en"),
        ("EN", "en"),
        ("ru_RU.UTF-8", "ru"),
        ("C.UTF-8", "ru"),
        ("POSIX", "ru"),
        ("kk", "ru"),
        ("", "ru"),
        (None, "ru"),
    ],
)
def test_the_language_of_a_device(tag: str | None, language: str) -> None:
    assert language_of(tag) == language


def test_fluent_is_read() -> None:
    """Comments, continuation lines, empty lines within a message, choices and literals are parsed."""
    found = read_messages("# words\na = b\n    c\n\n      d\ne = {$x}\n")
    assert found == {"a": "b\nc\n\n  d", "e": "{$x}"}
    pattern = parse_pattern('{"["}{ $n ->\n    [0] none\n    [one] {$n} of {$all}\n   *[other] many {$n}\n} end')
    assert variables_of(pattern) == {"n", "all"}
    (opening, choice, end) = pattern
    assert (opening, end) == ("[", " end")
    assert isinstance(choice, Choice)
    assert choice.default == "other"
    assert choice.variants["0"] == ("none",)


@pytest.mark.parametrize("text", ["{", "}", "{$n", "{ $n -> }", "{ $n ->\n [one] a\n}", "{NUMBER($n)}", "{-brand}"])
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_pattern(text)


@pytest.mark.parametrize("source", ["nonsense", "a = b\na = c", "-brand = Glas"])
def test_what_is_no_file_of_messages_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="line"):
        read_messages(source)


def test_the_files_are_installed() -> None:
    """The wheel contains the files of messages."""
    built = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert built["targets"]["wheel"]["packages"] == ["src/glas"]
