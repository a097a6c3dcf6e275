"""Who is told when a run fails or is late: any notifier of Airflow, chosen by the environment.

`AVM_NOTIFIER` is the dotted name of a notifier (`airflow.providers.smtp.notifications.smtp.
SmtpNotifier`, of Amazon's SNS or Chime, Slack's with its provider, or your own), and
`AVM_NOTIFIER_ARGS` its arguments as JSON; texts may use Airflow's templates. Without it, failures
are in the UI and the logs alone.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

NOTIFIER = "AVM_NOTIFIER"
ARGUMENTS = "AVM_NOTIFIER_ARGS"


def notifier_class() -> type[Any] | None:
    """The class that `AVM_NOTIFIER` names, None without it.

    Raises `ValueError` where it names nothing; Airflow shows it as the import error of the DAG.
    """
    name = os.environ.get(NOTIFIER, "")
    if not name:
        return None
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{NOTIFIER}={name!r} cannot be imported ({error}): name a notifier class that is "
            "installed where Airflow parses DAGs"
        ) from error


def notifier_arguments() -> dict[str, Any]:
    """`AVM_NOTIFIER_ARGS` as a dict. Raises `ValueError` if it is no JSON object."""
    text = os.environ.get(ARGUMENTS, "") or "{}"
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{ARGUMENTS} is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise ValueError(f"{ARGUMENTS} must be a JSON object of the notifier's arguments")
    return found


def on_failure() -> list[Callable[..., Any]]:
    """Callbacks of a run that failed: the notifier, if one is chosen."""
    chosen = notifier_class()
    return [chosen(**notifier_arguments())] if chosen else []


def deadline(*, hours: float) -> DeadlineAlert | None:
    """Tell the notifier of a run that has not ended `hours` after it was queued; or None."""
    if notifier_class() is None:
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=hours),
        callback=AsyncCallback(os.environ[NOTIFIER], kwargs=notifier_arguments()),
    )
