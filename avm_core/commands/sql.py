"""`avm sql`: read-only questions to the catalog."""

from __future__ import annotations

import argparse

from avm_core.catalog import Catalog
from avm_core.commands.tables import chosen_format, write_table
from avm_core.config import load_settings
from avm_core.errors import BadSettings


def run(arguments: argparse.Namespace) -> None:
    """Print or write the rows."""
    if bool(arguments.query) == bool(arguments.report):
        raise BadSettings("give one SELECT statement, or --report NAME")
    short = [name for name in ("csv", "json") if getattr(arguments, name)]
    given = {*short, arguments.format} - {None}
    if len(given) > 1:
        raise BadSettings(f"one format, not {' and '.join(sorted(given))}")
    form = chosen_format(next(iter(given), None), arguments.out)
    settings = load_settings()
    with Catalog.open(settings.catalog, read_only=True, s3=settings.s3) as catalog:
        if arguments.report:
            found = catalog.report(arguments.report)
        else:
            found = catalog.select(arguments.query)
    write_table(found, form, out=arguments.out)
