"""What all tables have in common: their root, names of constraints, types of columns."""

from enum import Enum

from sqlalchemy import CheckConstraint, MetaData, String, Table
from sqlalchemy.orm import DeclarativeBase

CODE = String(32)
SHA256 = String(64)


def among(column: str, allowed: type[Enum]) -> CheckConstraint:
    """Let a column hold the values of an enumeration only."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(member.value) for member in allowed)})", name=column)


class Base(DeclarativeBase):
    """Root of the rows; every constraint has a predictable name, without which migrations could not drop it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def table_of(row: type[Base]) -> Table:
    """The table of a row, for statements that need no objects: those of every message."""
    return Base.metadata.tables[row.__tablename__]
