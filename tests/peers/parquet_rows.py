"""Reads an export as Parquet with DuckDB and the same export as CSV with Python, and compares them cell by cell.

usage: parquet_rows.py CSV_DIR PARQUET_DIR. Prints one line of JSON: files, rows, cells, differences.
"""

import csv
import datetime
import decimal
import json
import pathlib
import sys

import duckdb

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def micros(text):
    """Microseconds since 1970 of an ISO time, without a float on the way."""
    span = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def plain(text):
    """A text without the apostrophe that keeps a spreadsheet from taking it for a formula."""
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in "=+-@\t\r" else text


READ = {
    "time": micros,
    "text": plain,
    "count": int,
    "number": int,
    "whole": lambda text: int(decimal.Decimal(text)),
    "real": float,
    "flag": lambda text: {"true": True, "false": False}[text],
}


def rows_of_csv(path, columns):
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        assert next(reader) == [column["name"] for column in columns], path
        for row in reader:
            yield [READ[c["kind"]](cell) if cell else None for c, cell in zip(columns, row, strict=True)]


def rows_of_parquet(db, path, columns):
    def cell(column):
        name = '"' + column["name"] + '"'
        return f"epoch_us({name})" if column["kind"] == "time" else name

    names = ", ".join(cell(column) for column in columns)
    found = db.execute(f"select {names} from read_parquet('{path}')")
    while batch := found.fetchmany(10_000):
        for row in batch:
            yield [int(v) if isinstance(v, decimal.Decimal) else v for v in row]


def main():
    told, parquet = (pathlib.Path(arg) for arg in sys.argv[1:3])
    manifest = json.loads((told / "manifest.json").read_text(encoding="utf-8"))
    db = duckdb.connect()
    files = rows = cells = 0
    differences = []
    for file in manifest["files"]:
        if "columns" not in file:
            continue
        columns, name = file["columns"], file["name"]
        other = parquet / name.replace(".csv", ".parquet")
        ours, theirs = list(rows_of_csv(told / name, columns)), list(rows_of_parquet(db, other, columns))
        if len(ours) != len(theirs):
            differences.append(f"{name}: {len(ours)} rows and {len(theirs)}")
        for n, (a, b) in enumerate(zip(ours, theirs)):
            # An empty text and no text are the same in CSV.
            b = [None if value == "" else value for value in b]
            if a != b:
                differences.append(f"{name}: row {n + 1}: {a} and {b}")
        files, rows, cells = files + 1, rows + len(ours), cells + len(ours) * len(columns)
    said = db.execute(
        "select decode(value) from parquet_kv_metadata(?) where decode(key) = 'capline.simulated'",
        [str(parquet / manifest["files"][0]["name"].replace(".csv", ".parquet"))],
    ).fetchall()
    print(json.dumps({"files": files, "rows": rows, "cells": cells, "differences": differences[:5],
                      "simulated": said[0][0] if said else None}))


main()
