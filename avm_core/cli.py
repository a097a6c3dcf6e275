"""The command line: the stages and tools of AVM without Airflow."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from typing import Any

from avm_core import __version__
from avm_core.commands.result_parsers import add_result_commands
from avm_core.errors import AvmError, BadSettings

# What a shell sees: everything worked (also with no match), a failure, wrong usage.
OK, FAILED, USAGE = 0, 1, 2
_BENCHES = (
    *("build", "quality", "rivals", "tune", "sources", "frames", "scores", "hits", "speed"),
    *("separation", "calibrate", "network", "match", "align", "index", "reverse", "year"),
    "catalog",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit code."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    try:
        # Imported on use: `avm --help` must not wait for a database and two network libraries.
        command = importlib.import_module(f"avm_core.commands.{arguments.command}")
        result = command.run(arguments)
        if result is not None:
            print(_shown(result, as_json=arguments.json), flush=True)
    except BadSettings as error:
        print(f"avm: {error}", file=sys.stderr)
        return USAGE
    except AvmError as error:
        print(f"avm: {type(error).__name__}: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        sys.stderr.close()  # the reader (head, less) has seen enough
        return OK
    return OK


def _shown(result: Any, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(result, indent=2, default=str)
    if isinstance(result, dict):
        return "\n".join(f"{key}: {value}" for key, value in result.items())
    return str(result)


def build_parser() -> argparse.ArgumentParser:
    """The parser with every subcommand."""
    parser = argparse.ArgumentParser(prog="avm", description=__doc__)
    parser.add_argument("--version", action="version", version=f"avm {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _match(commands)
    _fingerprint(commands)
    _score(commands)
    add_result_commands(commands, _add)
    _index(commands)
    _remove(commands)
    _migrate(commands)
    _retry(commands)
    _plan(commands)
    _bench(commands)
    _train(commands)
    return parser


def _add(commands: Any, name: str, summary: str, example: str) -> Any:
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(command=name)
    return parser


def _match(commands: Any) -> None:
    parser = _add(
        commands,
        "match",
        "find licensed media inside uploads: one row per copied segment",
        "avm match --licensed films/ --ugc uploads/ --out matches.csv",
    )
    parser.add_argument("--licensed", required=True, help="folder or s3:// prefix")
    parser.add_argument("--ugc", required=True, help="folder or s3:// prefix")
    parser.add_argument("--out", required=True, help="file ending in .csv, .json or .parquet")
    parser.add_argument(
        "--format",
        choices=("avm", "rutube", "vsc"),
        default="avm",
        help="columns: ours, the RUTUBE submission's or the VSC22 matching track's",
    )
    parser.add_argument("--modality", choices=("audio", "video", "both"), default="both")
    parser.add_argument("--errors", metavar="FILE", help="list unreadable files here as CSV")
    parser.add_argument(
        "--work", metavar="DIR", help="keep fingerprints here, so that the next run is faster"
    )


def _fingerprint(commands: Any) -> None:
    parser = _add(
        commands,
        "fingerprint",
        "write the fingerprint artefacts of media files",
        "avm fingerprint film.mp4 clip.webm --out prints/",
    )
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--out", required=True, metavar="DIR")
    parser.add_argument("--modality", choices=("audio", "video", "both"), default="both")


def _score(commands: Any) -> None:
    parser = _add(
        commands,
        "score",
        "measure matches against a ground truth, or a benchmark set edit by edit; prints JSON",
        "avm score --truth truth.csv --matches matches.csv",
    )
    parser.add_argument("--truth", metavar="GT.csv", help="not needed with --manifest")
    parser.add_argument("--matches", required=True, metavar="M.csv")
    parser.add_argument("--manifest", metavar="DIR", help="folder of a benchmark set")
    parser.add_argument(
        "--task",
        choices=("audio", "video", "both"),
        help="with --manifest: count what these streams can show (default both)",
    )
    parser.add_argument("--report", metavar="DIR", help="write JSON, Markdown and PNG here")
    parser.add_argument("--clean-hours", type=float, help="hours of uploads without any copy")


def _index(commands: Any) -> None:
    parser = _add(
        commands,
        "index",
        "show, verify, compact or clean up the index snapshots",
        "avm index verify   or   avm index compact --name ugc_audio",
    )
    parser.add_argument(
        "action",
        choices=("status", "verify", "compact", "gc"),
        help="`verify`: checksums of the stored objects and of the local cache; `compact`: merge "
        "small segments and drop removed media; `gc`: delete what no snapshot in use refers to",
    )
    parser.add_argument("--name", metavar="INDEX", help="this index alone, as `ugc_audio`")


def _remove(commands: Any) -> None:
    parser = _add(
        commands,
        "remove",
        "take media down, for good: a licence that ended, or an upload",
        'avm remove "Big Film" --reason "licence ended on 1 May"',
    )
    parser.add_argument("media", nargs="+", help="ids, URIs or titles")
    parser.add_argument("--reason", required=True, help="kept with the removal")
    parser.add_argument("--by", metavar="WHO", help="who asked for it (default: your login)")


def _migrate(commands: Any) -> None:
    _add(commands, "migrate", "create or update the catalog's tables and views", "avm migrate")


def _retry(commands: Any) -> None:
    parser = _add(
        commands,
        "retry",
        "try media again whose failure was recorded, in the next run of avm_fingerprint",
        "avm retry --error BadMedia --error MediaVanished   or   avm retry --media 0f3a…",
    )
    parser.add_argument("--media", action="append", metavar="ID", help="see the view errors")
    parser.add_argument("--error", action="append", metavar="CLASS", help="all that failed so")


def _plan(commands: Any) -> None:
    parser = _add(
        commands,
        "plan",
        "workers, memory, storage and hours that a load needs, by measured rates",
        "avm plan --hours-per-day 5000 --library-hours 100000 --retention-days 365",
    )
    parser.add_argument("--hours-per-day", type=float, required=True, help="of new uploads")
    parser.add_argument("--library-hours", type=float, required=True, help="of licensed media")
    parser.add_argument("--retention-days", type=int, required=True, help="uploads are kept")
    parser.add_argument(
        "--new-library-hours",
        type=float,
        help="of licensed media per day (default: a thousandth of the library)",
    )
    parser.add_argument("--upload-minutes", type=float, default=10.0, help="of a mean upload")
    parser.add_argument("--publishes-per-day", type=int, default=24, help="of each index")
    parser.add_argument(
        "--night-hours", type=float, default=8.0, help="time that the work of a day may take"
    )
    parser.add_argument("--modality", choices=("audio", "both"), default="both")
    parser.add_argument(
        "--rates", metavar="FILE", help="TOML of your own rates (see avm_core/capacity/rates.toml)"
    )


def _bench(commands: Any) -> None:
    parser = _add(
        commands,
        "bench",
        "measure AVM and its rivals on this machine",
        "avm bench rivals --set smoke --report report/",
    )
    parser.add_argument(
        "what",
        choices=_BENCHES,
        help="build a set, score AVM on it, score and time all systems on it, or time one part",
    )
    parser.add_argument("--set", choices=("smoke", "dev", "test"), default="smoke")
    parser.add_argument("--out", metavar="DIR", help="the set's folder (default .avm/bench/SET)")
    parser.add_argument("--seed", type=int, help="of the set's recipes")
    parser.add_argument(
        "--sources", metavar="DIR", default=".avm/sources", help="cache of the public packages"
    )
    parser.add_argument("--modality", choices=("audio", "video", "both"), default="both")
    parser.add_argument(
        "--only",
        metavar="A,B",
        help="`rivals`, `tune`: these systems; `frames`, `hits`, `calibrate`: these fingerprinters",
    )
    parser.add_argument("--report", metavar="DIR", help="write JSON, Markdown and PNG here")
    parser.add_argument("--media", metavar="DIR", help="files to time, or the demo's media")
    parser.add_argument("--no-speed", action="store_true", help="`rivals`: scores alone")
    parser.add_argument("--queries", type=int, default=200, help="for `hits`")
    parser.add_argument("--count", type=int, default=14, help="tracks for `calibrate`")
    parser.add_argument(
        "--weights",
        metavar="A,B",
        help="`calibrate`: files of trained weights, FILE or FILE@SECONDS",
    )
    _bench_index(parser)


def _bench_index(parser: Any) -> None:
    parser.add_argument("--windows", type=int, default=100_000, help="for `index`, `reverse`")
    parser.add_argument("--matches", type=int, default=1_000_000, help="for `catalog`")
    parser.add_argument("--dsn", default="", help="`catalog`: an empty Postgres database")
    parser.add_argument(
        "--table",
        action="store_true",
        help="`index`: also every metric and number format, and graph against scan by size",
    )
    parser.add_argument(
        "--prints",
        metavar="DIR",
        default=".avm/bench",
        help="`align`, `index`, `reverse`: benchmark sets whose fingerprints stand for real ones",
    )


def _train(commands: Any) -> None:
    parser = _add(
        commands,
        "train",
        "train an encoder on the public packages of the train split",
        "avm train audio --config avm_core/train/audio_conv.toml --out .avm/train/audio_conv",
    )
    parser.add_argument("what", choices=("audio", "video"))
    parser.add_argument("--config", required=True, metavar="FILE", help="TOML: what and how")
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="checkpoints, weights, card and curves"
    )
    parser.add_argument(
        "--sources", metavar="DIR", default=".avm/sources", help="cache of the public packages"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda[:N]")


if __name__ == "__main__":
    sys.exit(main())
