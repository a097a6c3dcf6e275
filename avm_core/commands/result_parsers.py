"""Arguments of the commands that ask the catalog and say what to do about matches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# add(commands, name, summary, example): the parser of one subcommand.
Add = Callable[[Any, str, str, str], Any]


def add_result_commands(commands: Any, add: Add) -> None:
    """`sql`, `export`, `policy` and `decide`."""
    _sql(commands, add)
    _export(commands, add)
    _policy(commands, add)
    _decide(commands, add)


def _sql(commands: Any, add: Add) -> None:
    parser = add(
        commands,
        "sql",
        "ask the catalog in SQL, read-only",
        'avm sql "SELECT * FROM matches LIMIT 5"   or   avm sql --report matches',
    )
    parser.add_argument("query", nargs="?", help="one SELECT statement")
    parser.add_argument("--report", metavar="NAME", help="a report of sql/reports instead")
    parser.add_argument("--csv", action="store_true", help="as --format csv")
    parser.add_argument(
        "--format", metavar="FORM", help="table, csv, json or parquet; default: what FILE ends in"
    )
    parser.add_argument("--out", metavar="FILE", help="write here instead of the terminal")


def _export(commands: Any, add: Add) -> None:
    add(commands, "export", "write every view to the lake as Parquet", "avm export")


def _policy(commands: Any, add: Add) -> None:
    parser = add(
        commands,
        "policy",
        "the rules that make claims of matches: show, check, try and save them",
        "avm policy show > policy.toml   then   avm policy dry-run policy.toml",
    )
    parser.add_argument("action", choices=("show", "check", "dry-run", "save", "history"))
    parser.add_argument("file", nargs="?", metavar="FILE", help="TOML; `-` is standard input")
    parser.add_argument("--by", metavar="NAME", help="who saves it (default: the user's name)")


def _decide(commands: Any, add: Add) -> None:
    parser = add(
        commands,
        "decide",
        "confirm or reject a match, or exclude its part of the title; also for later re-matches",
        'avm decide 1f2e3d4c5b6a7988 reject --note "a cover version"',
    )
    parser.add_argument("match", nargs="?", help="its match_id")
    parser.add_argument("verdict", nargs="?", choices=("confirm", "reject", "exclude"))
    parser.add_argument("--note", default="", help="kept with the decision")
    parser.add_argument("--by", metavar="NAME", help="who decides (default: the user's name)")
    parser.add_argument("--undo", metavar="DECISION", help="take a decision back")
