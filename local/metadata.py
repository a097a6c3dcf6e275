"""Makes or upgrades Airflow's metadata database and its pools, before any service uses them."""

from __future__ import annotations

from local.environment import REPO

POOLS = REPO / "plugins" / "avm_airflow" / "pools.json"


def main() -> None:
    """Run two commands of Airflow's own command line in one process, which imports it once."""
    from airflow.cli.cli_parser import get_parser

    parser = get_parser()
    for command in (["db", "migrate"], ["pools", "import", str(POOLS)]):
        arguments = parser.parse_args(command)
        arguments.func(arguments)


if __name__ == "__main__":
    main()
