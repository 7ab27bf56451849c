"""Define what all tables have in common: base class, names of constraints, types of columns."""

from enum import Enum

from sqlalchemy import CheckConstraint, MetaData, String, Table
from sqlalchemy.orm import DeclarativeBase

CODE = String(32)
SHA256 = String(64)


def among(column: str, allowed: type[Enum]) -> CheckConstraint:
    """Make a constraint that permits only the values of an enumeration in a column."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(member.value) for member in allowed)})", name=column)


class Base(DeclarativeBase):
    """Base class of all rows. It gives constraints predictable names, by which migrations can drop the constraints."""

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
    """Return the table of a row class; statements on the table are faster than statements with ORM objects."""
    return Base.metadata.tables[row.__tablename__]
