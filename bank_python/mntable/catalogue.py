"""The catalogue of a database: a table that lists its tables, with their schemas and format versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bank_python.errors import SchemaError, TableError
from bank_python.mntable.names import fold, quote
from bank_python.mntable.schema import Schema

if TYPE_CHECKING:
    import sqlite3

__all__ = ["FORMAT", "create", "drop", "exists", "load", "table_names"]

FORMAT = 1
CATALOGUE = '"bank_python.mntable"'


def table_names(connection: sqlite3.Connection) -> list[str]:
    """Return the sorted names of the tables."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'bank_python.mntable'").fetchone()
    if found is None:
        return []
    return [name for (name,) in connection.execute(f"SELECT name FROM {CATALOGUE} ORDER BY name")]


def load(connection: sqlite3.Connection, name: str) -> Schema | None:
    """Return the schema of the table `name`, or ``None`` when there is no such table.

    Raises
    ------
    TableError
        The table was written in a later format than this version of the library reads.
    SchemaError
        The stored schema cannot be read.
    """
    if name not in table_names(connection):
        return None
    version, text = connection.execute(f"SELECT format, schema FROM {CATALOGUE} WHERE name = ?", (name,)).fetchone()
    if version != FORMAT:
        raise TableError(
            f"table {name!r} has format {version}, and this version of bank_python reads format {FORMAT}: "
            "open it with the version that wrote it",
            name=name,
            value=version,
        )
    try:
        record = json.loads(text)
    except ValueError:
        raise SchemaError(f"the stored schema of table {name!r} is not JSON: {text!r}", name=name) from None
    return Schema.from_record(record)


def exists(connection: sqlite3.Connection, name: str, schema: Schema) -> bool:
    """Return whether the table exists with this schema.

    Raises
    ------
    SchemaError
        The table exists with another schema.
    """
    stored = load(connection, name)
    if stored is not None and stored != schema:
        raise SchemaError(
            f"table {name!r} exists already with {stored}, not {schema}: "
            "open it with its own schema (Table.open), or choose another name",
            name=name,
        )
    return stored is not None


def create(connection: sqlite3.Connection, name: str, schema: Schema) -> bool:
    """Create the table unless it exists with the same schema; return whether it was created.

    Raises
    ------
    SchemaError
        A table of that name, or of a name that SQLite does not distinguish from it, has another schema.
    """
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {CATALOGUE} (name TEXT PRIMARY KEY, format INTEGER NOT NULL, schema TEXT NOT NULL)"
    )
    if exists(connection, name, schema):
        return False
    clash = [other for (other,) in connection.execute("SELECT name FROM sqlite_master") if fold(other) == fold(name)]
    if clash:
        raise SchemaError(f"the table name {name!r} clashes with {clash[0]!r} in the database: choose another")
    columns = ", ".join(
        f"{quote(column.name)} {column.type.declared}{'' if column.nullable else ' NOT NULL'}" for column in schema
    )
    connection.execute(f"CREATE TABLE main.{quote(name)} ({columns})")
    text = json.dumps(schema.to_record())
    connection.execute(f"INSERT INTO {CATALOGUE} VALUES (?, ?, ?)", (name, FORMAT, text))
    return True


def drop(connection: sqlite3.Connection, name: str) -> None:
    """Remove the table and its rows."""
    connection.execute(f"DROP TABLE main.{quote(name)}")
    connection.execute(f"DELETE FROM {CATALOGUE} WHERE name = ?", (name,))
