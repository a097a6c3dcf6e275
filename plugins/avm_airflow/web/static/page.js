// What every page does: keys, sums, decisions, links out of Airflow's frame. No dependencies.

const base = document.body.dataset.base;
const framed = window.parent !== window;

export const $ = (query, from = document) => from.querySelector(query);
export const $$ = (query, from = document) => [...from.querySelectorAll(query)];

export function tell(text) {
  $("#told").textContent = text;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => ($("#told").textContent = ""), 6000);
}

// Whether a key belongs to what is being typed or operated.
export function busy(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return true;
  const on = event.target;
  return on.matches("input:not([type=checkbox]):not([type=radio]), select, textarea");
}

// --- sums of a list ---------------------------------------------------------------------------

const number = new Intl.NumberFormat("en", { notation: "standard" });

function length(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${number.format(Math.round(seconds / 3600))} h`;
}

async function sums() {
  const box = $("[data-count]");
  if (!box) return;
  const answer = await fetch(box.dataset.count, { headers: { accept: "application/json" } });
  const found = answer.ok ? await answer.json() : {};
  for (const cell of $$("[data-sum]", box)) {
    const value = found[cell.dataset.sum];
    if (value === undefined) cell.textContent = "?";
    else cell.textContent = cell.dataset.sum === "seconds" ? length(value) : number.format(value);
  }
}

// --- lists ------------------------------------------------------------------------------------

const rows = $$("[data-row]");
const LIST = "avm-list";
// The match page steps through what was listed last, and goes back to it.
if (rows.length) {
  const ids = rows.map((row) => row.dataset.row);
  sessionStorage.setItem(LIST, JSON.stringify({ ids, address: location.href }));
}

export function lastList() {
  try {
    return JSON.parse(sessionStorage.getItem(LIST)) || { ids: [], address: `${base}/matches` };
  } catch {
    return { ids: [], address: `${base}/matches` };
  }
}

function step(by) {
  const now = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[Math.min(Math.max(now + by, 0), rows.length - 1)];
  next?.querySelector("a.main").focus();
}

for (const row of rows) {
  row.addEventListener("click", (event) => {
    if (!event.target.closest("a, button") && !getSelection().toString()) {
      $("a.main", row).click();
    }
  });
}

// --- forms ------------------------------------------------------------------------------------

for (const form of $$("[data-filters]")) {
  // Empty fields only make addresses long.
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) {
      if (value === "") event.formData.delete(name);
    }
  });
  for (const field of $$("select, .line input[type=checkbox]", form)) {
    field.addEventListener("change", () => form.requestSubmit());
  }
}

for (const form of $$("[data-decision]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form, event.submitter));
    const answer = await fetch(form.action, {
      method: "POST",
      body,
      headers: { accept: "application/json", "x-avm-token": body.get("token") },
    }).catch(() => null);
    const told = await answer?.json().catch(() => null);
    if (answer?.ok) {
      sessionStorage.setItem("avm-told", told.verdict);
      location.reload();
    } else {
      tell(told?.detail || "That did not get through: try again.");
    }
  });
}

const told = sessionStorage.getItem("avm-told");
if (told) {
  sessionStorage.removeItem("avm-told");
  tell(`Stored: ${told}.`);
}

// --- keys -------------------------------------------------------------------------------------

for (const opener of $$("[data-opens]")) {
  opener.addEventListener("click", () => $(`#${opener.dataset.opens}`).showModal());
}

document.addEventListener("keydown", (event) => {
  if (busy(event)) return;
  const key = event.key.toLowerCase();
  if (key === "?") $("#keys").showModal();
  else if (rows.length && key === "j") step(1);
  else if (rows.length && key === "k") step(-1);
  else if (rows.length && key === "n") $("a[rel=next]")?.click();
  else if (rows.length && key === "p") $("a[rel=prev]")?.click();
  else {
    const meant = $(`[data-key="${CSS.escape(key)}"]`);
    if (!meant || meant.hidden) return;
    meant.focus();
    if (meant.matches("button")) meant.click();
  }
  event.preventDefault();
});

// --- links to Airflow -------------------------------------------------------------------------

// The frame may not navigate the window around it; the window's own router may be asked to.
for (const link of $$("a[data-airflow]")) {
  link.addEventListener("click", (event) => {
    if (!framed) return;
    event.preventDefault();
    const url = new URL(link.href);
    window.parent.history.pushState({}, "", url.pathname + url.search);
    window.parent.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  });
}

sums();
