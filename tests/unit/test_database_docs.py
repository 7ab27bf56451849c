"""Test that the diagram in docs/database.md agrees with the database."""

import re
from pathlib import Path

from glas.db.tables import Base
from glas.domain.ledger import Refusal

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "database.md").read_text(encoding="utf-8")


def test_the_diagram_holds_every_table_and_column() -> None:
    """Tables and columns have the order of the code."""
    drawn = {
        name: re.findall(r"^ {8}\w+ (\w+)", body, re.MULTILINE)
        for name, body in re.findall(r"^ {4}(\w+) \{\n(.*?)^ {4}\}", DOCS, re.MULTILINE | re.DOTALL)
    }
    assert drawn == {table.name: [column.name for column in table.columns] for table in Base.metadata.tables.values()}


def test_the_readme_draws_the_same_relations() -> None:
    """The short diagram contains the tables and relations of the long diagram, without columns."""
    relation = re.compile(r"^ {4}\w+ [|}o]{2}(?:--|\.\.)[|{o]{2} .*$", re.MULTILINE)
    drawn = relation.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert drawn == relation.findall(DOCS)
    related = {name for name, table in Base.metadata.tables.items() if table.foreign_keys}
    assert related <= set(re.findall(r"\w+", "\n".join(drawn)))


def test_every_refusal_is_explained() -> None:
    """The document contains every reason why nothing is paid."""
    assert set(re.findall(r"^\| `(\w+)` \|", DOCS, re.MULTILINE)) == {refusal.value for refusal in Refusal}
