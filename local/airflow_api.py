"""A small client of Airflow's REST API: what the stack and its tests ask."""

from __future__ import annotations

import itertools
import time
import uuid
from typing import Any, Self

import httpx

FINISHED = frozenset({"success", "failed"})


class AirflowApi:
    """One Airflow at `base_url`, as one user. Raises `httpx.HTTPStatusError` on a refusal."""

    def __init__(
        self,
        base_url: str,
        *,
        username: str,
        password: str,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._login = {"username": username, "password": password}
        # No proxy stands between this machine and itself, whatever the environment says.
        self._client = httpx.Client(
            base_url=base_url,
            timeout=30.0,
            trust_env=False,
            transport=transport,
            # The server cuts the connection after an error 500, which the next request would meet.
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self._authorised = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: dict[str, Any] | None = None,
    ) -> Any:
        """Call `/api/v2{path}` and return the decoded answer, None where it has no body."""
        if not self._authorised:
            self._authorise()
        response = self._send(method, path, json, params)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._authorise()
            response = self._send(method, path, json, params)
        response.raise_for_status()
        return response.json() if response.content else None

    def _send(self, method: str, path: str, json: Any, params: Any) -> httpx.Response:
        """Call; what only reads is asked again where a busy machine answers too late."""
        for _ in range(4 if method == "GET" else 0):
            try:
                return self._client.request(method, f"/api/v2{path}", json=json, params=params)
            except httpx.TimeoutException:
                continue
        return self._client.request(method, f"/api/v2{path}", json=json, params=params)

    def health(self) -> dict[str, str]:
        """Component → "healthy", "unhealthy" or "unreachable"; needs no login."""
        components = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        try:
            response = self._client.get("/api/v2/monitor/health", timeout=5.0)
            answer = response.raise_for_status().json()
        except httpx.HTTPError:
            return dict.fromkeys(components, "unreachable")
        return {name: (answer.get(name) or {}).get("status") or "unhealthy" for name in components}

    def pools(self) -> dict[str, int]:
        """Pool → slots."""
        return {p["name"]: p["slots"] for p in self._all("/pools", "pools")}

    def dags(self) -> dict[str, bool]:
        """DAG → whether it is paused."""
        return {d["dag_id"]: d["is_paused"] for d in self._all("/dags", "dags")}

    def import_errors(self) -> dict[str, str]:
        """DAG file → stack trace."""
        found = self._all("/importErrors", "import_errors")
        return {e["filename"]: e["stack_trace"] for e in found}

    def pause(self, dag_id: str, *, paused: bool = True) -> None:
        """Stop or resume the schedule of a DAG."""
        self._write("PATCH", f"/dags/{dag_id}", {"is_paused": paused})

    def trigger(self, dag_id: str, *, conf: dict[str, Any] | None = None) -> str:
        """Start a run and return its id."""
        run_id = f"manual__{uuid.uuid4()}"  # chosen here, so that a second try is the same run
        body = {"dag_run_id": run_id, "logical_date": None, "conf": conf or {}}
        self._write("POST", f"/dags/{dag_id}/dagRuns", body)
        return run_id

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """One run; `state` is queued, running, success or failed."""
        return dict(self.request("GET", f"/dags/{dag_id}/dagRuns/{run_id}"))

    def runs(self, dag_id: str = "~") -> list[dict[str, Any]]:
        """Every run of a DAG, or of all of them, oldest first."""
        path, params = f"/dags/{dag_id}/dagRuns", {"order_by": "id"}
        return self._all(path, "dag_runs", params)

    def wait_for_run(self, dag_id: str, run_id: str, *, timeout: float = 120.0) -> dict[str, Any]:
        """The run once it has succeeded or failed. Raises `TimeoutError`."""
        deadline = time.monotonic() + timeout
        while True:
            run = self.run(dag_id, run_id)
            if run["state"] in FINISHED:
                return run
            if time.monotonic() > deadline:
                states = {t["task_id"]: t["state"] for t in self.task_instances(dag_id, run_id)}
                raise TimeoutError(
                    f"run {run_id} of {dag_id} is {run['state']} after {timeout:.0f} s: {states}"
                )
            time.sleep(0.5)

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Every task of a run, mapped ones with their `map_index`."""
        return self._all(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", "task_instances")

    def xcom(self, dag_id: str, run_id: str, task_id: str, *, map_index: int = -1) -> Any:
        """What a task returned."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        params = {"map_index": map_index, "deserialize": True}
        return self.request("GET", f"{path}/xcomEntries/return_value", params=params)["value"]

    def log(
        self, dag_id: str, run_id: str, task_id: str, *, attempt: int = 1, map_index: int = -1
    ) -> str:
        """The events of one attempt of a task, a line each, an exception as "Type: message"."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}"
        lines = []
        for entry in self.request("GET", path, params={"map_index": map_index})["content"]:
            lines.append(str(entry["event"]) if isinstance(entry, dict) else str(entry))
            for cause in (isinstance(entry, dict) and entry.get("error_detail")) or ():
                lines.append(f"{cause['exc_type']}: {cause['exc_value']}")
        return "\n".join(lines)

    def asset_events(self, name: str | None = None) -> list[dict[str, Any]]:
        """Updates of one asset, or of all of them, oldest first.

        Airflow 3.3 cannot show an update while a run that it caused waits for its start (status
        500 for the whole page): such updates are left out until then.
        """
        path, params = "/assets/events", {"order_by": "timestamp"}
        try:
            events = self._all(path, "asset_events", params)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.INTERNAL_SERVER_ERROR:
                raise
            events = self._one_by_one(path, "asset_events", params)
        return [e for e in events if name is None or e["name"] == name]

    def _one_by_one(self, path: str, field: str, params: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        refused = 0  # in a row; more than runs can wait means that the server is at fault
        for offset in itertools.count():
            try:
                answer = self.request("GET", path, params={**params, "limit": 1, "offset": offset})
            except httpx.HTTPStatusError as error:
                refused += 1
                if error.response.status_code < 500 or refused > 50:
                    raise
                continue
            if not answer[field]:
                return found
            found += answer[field]
            refused = 0
        raise AssertionError("unreachable")

    def _all(
        self, path: str, field: str, params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = {**(params or {}), "limit": 100, "offset": len(found)}
            answer = self.request("GET", path, params=page)
            found += answer[field]
            if not answer[field] or len(found) >= answer["total_entries"]:
                return found

    def _write(self, method: str, path: str, body: dict[str, Any]) -> None:
        """Call, again if need be: over SQLite the server may lock itself out for some seconds,
        when its audit log waits for a transaction that waits for the audit log's thread."""
        for attempt in range(6):
            try:
                self.request(method, path, json=body)
                return
            except httpx.HTTPStatusError as error:
                status = error.response.status_code
                if attempt and status == httpx.codes.CONFLICT:
                    return
                if status != httpx.codes.INTERNAL_SERVER_ERROR or attempt == 5:
                    raise
            time.sleep(1.0)

    def _authorise(self) -> None:
        response = self._client.post("/auth/token", json=self._login)
        token = response.raise_for_status().json()["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"
        self._authorised = True
