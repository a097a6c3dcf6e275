"""Makes or upgrades Airflow's metadata database and its pools, before any service uses them."""

from __future__ import annotations

import sys

from local.environment import REPO

POOLS = REPO / "plugins" / "avm_airflow" / "pools.json"


def main() -> None:
    """Run two commands of Airflow's own command line in one process, which imports it once.

    The only argument, if there is one, is another file of pools.
    """
    from airflow.cli.cli_parser import get_parser

    parser = get_parser()
    for command in (["db", "migrate"], ["pools", "import", *(sys.argv[1:] or [str(POOLS)])]):
        arguments = parser.parse_args(command)
        arguments.func(arguments)


if __name__ == "__main__":
    main()
