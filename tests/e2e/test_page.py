"""The page as a rights manager meets it: a real Chromium on a real Airflow with real media.

One story: log in, trigger discovery in Airflow's own UI, see the run succeed, open the claims,
filter, open a match, see both players at its seconds, reject it, and find it gone from the open
claims, also after a re-match. `AVM_SCREENSHOTS=docs/images` takes the documentation's pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avm_core.benchmark.edits import Clip, Edit, make_copy
from avm_core.media.write import AudioFormat, VideoFormat
from avm_core.pipeline import stages
from avm_core.pipeline.platform import Platform
from local import stack as local_stack
from tests.e2e.browser import chromium, find, in_frame, picture, until
from tests.e2e.conftest import Stack, running

pytestmark = [pytest.mark.airflow, pytest.mark.story]

MEDIA = Path(__file__).resolve().parents[2] / "local" / "media" / "titles"
TITLES = {
    "fish_fillets_intro": {"title": "Fish Fillets, opening", "licensed_from": "2026-01-01"},
    "wanna_work_together": {"title": "Wanna Work Together?", "licensed_from": "2026-01-01"},
}
# Upload → its name and what it copies: seconds of a title.
UPLOADS = {
    "fish": ("Two fish <b>on a mission</b>", Clip(MEDIA / "fish_fillets_intro.mp4", 20.0, 44.0)),
    "wanna": ("Licences explained", Clip(MEDIA / "wanna_work_together.mp4", 10.0, 34.0)),
}
SMALL = VideoFormat(width=480, height=270, bitrate=260_000)


class Site:
    """The stack, its catalog and the browser."""

    def __init__(self, stack: Stack) -> None:
        found = local_stack.status(stack.home)
        self.url, self.password = found["url"], found["password"]
        self.stack, self.platform, self.api = stack, stack.platform, stack.api


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """First of all: without it nothing else need be started."""
    with chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def site(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    # Discovery begins when the browser asks for it.
    with running(tmp_path_factory.mktemp("page") / "stack", AVM_DISCOVER_SECONDS="86400") as stack:
        yield Site(stack)


def put_media(site: Site, folder: Path) -> None:
    licensed, ugc = site.platform.media_store("licensed"), site.platform.media_store("ugc")
    for name, metadata in TITLES.items():
        licensed.upload(f"{name}.mp4", MEDIA / f"{name}.mp4", metadata=metadata)
    for name, (title, clip) in UPLOADS.items():
        path = folder / f"{name}.mp4"
        make_copy(
            [clip],
            path,
            Edit(name="reencode"),
            video_format=SMALL,
            audio_format=AudioFormat(bitrate=48_000),
        )
        ugc.upload(f"{name}.mp4", path, metadata={"title": title, "uploaded_at": "2026-03-01"})


def test_a_copy_is_found_shown_and_rejected(browser: Any, site: Site, tmp_path: Path) -> None:
    put_media(site, tmp_path)
    log_in(browser, site)
    trigger(browser, site, "avm_discover")
    until(
        "both copies in the catalog",
        lambda: len(site.stack.sql("FROM claims")) == len(UPLOADS),
        patience=900,
    )
    open_claims(browser, site)
    narrow(browser)
    match_id = open_match(browser, site)
    both_players_seek(browser, site, match_id)
    previews_appear(browser)
    picture(browser, "match")
    reject(browser, site, match_id)
    gone(browser, site)
    rematch(site)
    gone(browser, site)
    run_tab(browser, site)


def log_in(browser: Any, site: Site) -> None:
    browser.get(site.url)
    find(browser, "input[name=username]").send_keys("admin")
    find(browser, "input[name=password]").send_keys(site.password)
    find(browser, "button[type=submit]").click()
    until("Airflow's front page", lambda: "/login" not in browser.current_url)
    # Refused to who is not logged in, open to who is.
    browser.get(f"{site.url}/avm/matches")
    assert "Nothing passes these filters" in browser.page_source


def trigger(browser: Any, site: Site, dag_id: str) -> None:
    """By Airflow's own button; returns when its page says that the run succeeded."""
    until(f"DAG {dag_id}", lambda: dag_id in site.api.dags())
    before = {run["dag_run_id"] for run in site.api.runs(dag_id)}
    browser.get(f"{site.url}/dags/{dag_id}")
    find(browser, "[data-testid=trigger-dag-button]").click()
    until("the form", lambda: asks(browser))
    find(browser, "[data-testid=trigger-dag-submit]").click()
    run = until("the run", lambda: {r["dag_run_id"] for r in site.api.runs(dag_id)} - before).pop()
    browser.get(f"{site.url}/dags/{dag_id}/runs/{run}")
    # The heading: the run's name, and below it its state.
    until("its success", lambda: f"{run}\nSuccess\n" in find(browser, "body").text)


def asks(browser: Any) -> bool:
    """Whether the form is open; a DAG that ran before offers a menu first."""
    for item in browser.find_elements("css selector", "[role=menuitem]"):
        if item.is_displayed():
            item.click()
            return False
    forms = browser.find_elements("css selector", "[data-testid=trigger-dag-submit]")
    return any(form.is_displayed() and form.is_enabled() for form in forms)


def open_claims(browser: Any, site: Site) -> None:
    """In Airflow's frame, where the menu leads."""
    browser.get(f"{site.url}/plugin/avm")
    in_frame(browser)
    rows = until("the claims", lambda: browser.find_elements("css selector", "[data-row]"))
    assert len(rows) == len(UPLOADS)
    assert "Two fish <b>on a mission</b>" in find(browser, ".claims").text
    until("the sum", lambda: find(browser, "[data-sum=claims]").text == str(len(UPLOADS)))
    picture(browser, "claims")


def narrow(browser: Any) -> None:
    search = find(browser, "input[name=q]")
    search.send_keys("fish")
    search.submit()
    until("one row", lambda: len(browser.find_elements("css selector", "[data-row]")) == 1)
    assert "q=fish" in browser.execute_script("return location.search")


def open_match(browser: Any, site: Site) -> str:
    """By the keys: the first row, and Enter."""
    from selenium.webdriver.common.keys import Keys

    body = find(browser, "main")
    browser.execute_script("document.activeElement.blur()")
    body.send_keys("j")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    match_id = find(browser, "#match").get_attribute("data-match")
    [row] = site.stack.sql(f"FROM claims WHERE match_id = '{match_id}'")
    assert row["licensed_title"] == "Fish Fillets, opening"
    return match_id


def places(browser: Any) -> list[float]:
    """Seconds of both players, once both can show a picture there."""
    found = browser.execute_script(
        "return [...document.querySelectorAll('video')].map("
        "v => v.readyState > 1 && !v.seeking && !v.error ? v.currentTime : null)"
    )
    return [] if None in found else found


def both_players_seek(browser: Any, site: Site, match_id: str) -> None:
    [row] = site.stack.sql(f"FROM claims WHERE match_id = '{match_id}'")
    starts = [row["ugc_start"], row["licensed_start"]]
    assert starts[1] - starts[0] == pytest.approx(20.0, abs=1.5), "what was planted"
    until("both players at the match", lambda: places(browser) == pytest.approx(starts, abs=0.2))
    find(browser, "[data-do=on]").click()
    later = [starts[0] + 1, starts[1] + row["speed"]]
    until("both one second later", lambda: places(browser) == pytest.approx(later, abs=0.2))
    find(browser, "[data-do=play]").click()
    until("both playing", lambda: (now := places(browser)) and now[0] > later[0] + 0.5)
    find(browser, "[data-do=play]").click()
    apart = until("both stopped", lambda: places(browser))
    assert apart[1] - apart[0] == pytest.approx(20.0, abs=2.0)


def previews_appear(browser: Any) -> None:
    """Strips, waves, evidence and matrices, made at this first look."""
    ready = """
        const shown = (one) => !one.hidden && one.complete && one.naturalWidth > 0;
        return [...document.querySelectorAll("[data-strip], .matrix img")].every(shown)
          && document.querySelectorAll("[data-wave] path").length === 2
          && document.querySelectorAll("[data-proof] path").length === 2;
    """
    until("the previews", lambda: browser.execute_script(ready), patience=600)
    problems = [
        entry["message"]
        for entry in browser.get_log("browser")
        if "Content Security Policy" in entry["message"] or entry["source"] == "javascript"
    ]
    assert problems == []


def reject(browser: Any, site: Site, match_id: str) -> None:
    find(browser, "input[name=note]").send_keys("our own channel")
    find(browser, "button.reject").click()
    until(
        "the decision",
        lambda: (
            site.stack.sql(f"FROM claims WHERE match_id = '{match_id}'")[0]["decision"] == "reject"
        ),
    )
    [row] = site.stack.sql("FROM decisions")
    assert (row["verdict"], row["decided_by"], row["note"], row["source"]) == (
        "reject",
        "admin",
        "our own channel",
        "page",
    )
    until("the page to say so", lambda: "our own channel" in find(browser, "#match").text)


def gone(browser: Any, site: Site) -> None:
    """One claim is open, the other is ignored, in the catalog and on the page."""
    actions = {row["ugc_title"]: row["action"] for row in site.stack.sql("FROM claims")}
    assert actions.pop("Two fish <b>on a mission</b>") == "ignore"
    assert set(actions.values()) != {"ignore"}
    browser.get(f"{site.url}/avm/matches")
    rows = [row.text for row in browser.find_elements("css selector", "[data-row]")]
    assert len(rows) == len(UPLOADS) - 1
    assert not any("fish" in row.lower() for row in rows)


def rematch(site: Site) -> None:
    """As in the night after another version of the matcher: what it finds again keeps its id."""
    before = {row["match_id"] for row in site.stack.sql("FROM claims")}
    changed = site.platform.settings.match.model_copy(update={"k": 49})
    again = Platform(site.platform.settings.model_copy(update={"match": changed}))
    units = [stages.match_batch(again, batch) for batch in stages.plan_stale(again)]
    assert stages.record(again, units, message="re-match") == len(units) > 0
    rows = site.stack.sql("FROM matches")
    assert {row["match_id"] for row in rows} == before
    assert {row["matcher_version"] for row in rows} == {again.matcher_version}


def run_tab(browser: Any, site: Site) -> None:
    """The run of the search, as the link of its task shows it."""
    [run] = [r for r in site.api.runs("avm_match") if r["state"] == "success"][-1:]
    path = f"/dags/avm_match/dagRuns/{run['dag_run_id']}/taskInstances/record/links"
    link = site.api.request("GET", path)["extra_links"]["AVM results"]
    browser.get(f"{site.url}{link}")
    in_frame(browser)
    assert "avm_match" in find(browser, "h1").text
    assert "success" in find(browser, "main").text
    picture(browser, "run")
