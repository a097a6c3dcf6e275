"""`avm policy`: the rules in force, what a change would do, and saving it."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

from avm_core.commands.tables import write_table
from avm_core.config import load_settings
from avm_core.errors import BadSettings
from avm_core.pipeline.platform import Platform
from avm_core.pipeline.policy import changes, current_policy, dry_run, history, save_policy, totals
from avm_core.pipeline.policy_file import Policy, parse_policy, policy_text


def run(arguments: argparse.Namespace) -> Any:
    """Print what was asked for; `check` needs no catalog."""
    if arguments.action in ("show", "history") and arguments.file:
        raise BadSettings(f"`avm policy {arguments.action}` takes no file")
    as_json = "json" if arguments.json else "table"
    if arguments.action == "check":
        policy = _read(arguments.file)
        return {"rules": len(policy.rule), "valid": True}
    platform = Platform(load_settings())
    if arguments.action == "show":
        version, policy = current_policy(platform)
        if arguments.json:
            return {"policy_version": version, **policy.model_dump(exclude_none=True)}
        print(f"# version {version}\n{policy_text(policy)}", end="")
    elif arguments.action == "history":
        write_table(history(platform), as_json, out=None)
    elif arguments.action == "dry-run":
        return _dry_run(dry_run(platform, _read(arguments.file)), as_json=arguments.json)
    else:
        policy = _read(arguments.file)
        name = arguments.by or getpass.getuser()
        return {"policy_version": save_policy(platform, policy, saved_by=name)}
    return None


def _dry_run(judged: pa.Table, *, as_json: bool) -> Any:
    actions, titles = totals(judged), changes(judged)
    if as_json:
        return {"actions": actions.to_pylist(), "titles": titles.to_pylist()}
    print("Matches by action, now and then:")
    write_table(actions, "table", out=None)
    print("Titles with a change:" if titles.num_rows else "No title would change.")
    if titles.num_rows:
        write_table(titles, "table", out=None)
    return None


def _read(name: str | None) -> Policy:
    if not name:
        raise BadSettings("name a policy file; `avm policy show > policy.toml` makes one")
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"cannot read {name}: {error}") from error
    return parse_policy(text, where=name)
