// A match: both sides played as one, on one time line, with what speaks for it.

import { $, $$, busy, lastList, tell } from "./page.js";

const match = $("#match").dataset;
const at = {
  ugc: [Number(match.ugcStart), Number(match.ugcEnd)],
  licensed: [Number(match.licensedStart), Number(match.licensedEnd)],
};
const speed = Number(match.speed);
const from = Number(match.from);
const to = Number(match.to);
const ugc = $('[data-player="ugc"]');
const licensed = $('[data-player="licensed"]');
const track = $("[data-track]");
const head = $("[data-head]");
// Seconds that the two may drift apart before the title jumps instead of hurrying.
const JUMP = 0.3;

const partner = (second) => at.licensed[0] + (second - at.ugc[0]) * speed;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function clock(seconds) {
  const tenths = Math.round(Math.abs(seconds) * 10);
  const hour = Math.floor(tenths / 36000);
  const minute = Math.floor(tenths / 600) % 60;
  const second = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  const text = hour ? `${hour}:${String(minute).padStart(2, "0")}:${second}` : `${minute}:${second}`;
  return (seconds < 0 ? "-" : "") + text;
}

// --- playing ----------------------------------------------------------------------------------

function seek(second) {
  const wanted = clamp(second, Math.max(from, 0), to);
  ugc.currentTime = wanted;
  licensed.currentTime = Math.max(partner(wanted), 0);
  show(wanted);
}

function show(second) {
  const place = (1000 * (second - from)) / (to - from);
  head.setAttribute("x1", place);
  head.setAttribute("x2", place);
  track.setAttribute("aria-valuenow", second.toFixed(1));
  track.setAttribute(
    "aria-valuetext",
    `${clock(second)} of the upload, ${clock(partner(second))} of the title`,
  );
  $('[data-time="ugc"]').textContent = clock(second);
  $('[data-time="licensed"]').textContent = clock(Math.max(partner(second), 0));
}

const playing = () => !ugc.paused;

function play() {
  if (ugc.currentTime >= to - 0.05) seek(at.ugc[0]);
  licensed.playbackRate = speed * ugc.playbackRate;
  for (const player of [ugc, licensed]) {
    player.play().catch((error) => {
      if (error.name === "NotAllowedError") tell("Press play once more: the browser asks for it.");
    });
  }
}

function pause() {
  ugc.pause();
  licensed.pause();
}

// The upload leads; the title follows it at the speed of the match.
function follow() {
  const wanted = partner(ugc.currentTime);
  const off = wanted - licensed.currentTime;
  if (!licensed.seeking && licensed.readyState > 1) {
    if (Math.abs(off) > JUMP) licensed.currentTime = Math.max(wanted, 0);
    else licensed.playbackRate = clamp(speed * ugc.playbackRate * (1 + off), 0.25, 4);
  }
  show(ugc.currentTime);
  const over = ugc.currentTime >= at.ugc[1] || (licensed.ended && !ugc.ended);
  if (playing() && over && $('[data-do="loop"]').checked) seek(at.ugc[0]);
  else if (playing() && ugc.currentTime >= to) pause();
  if (playing()) requestAnimationFrame(follow);
}

const button = $('[data-do="play"]');
ugc.addEventListener("play", () => {
  button.textContent = "❚❚";
  button.setAttribute("aria-label", "Pause both");
  requestAnimationFrame(follow);
});
ugc.addEventListener("pause", () => {
  button.textContent = "▶";
  button.setAttribute("aria-label", "Play both");
  licensed.pause();
});
for (const player of [ugc, licensed]) {
  const begin = () => {
    const start = at[player.dataset.player][0];
    if (Math.abs(player.currentTime - start) > 0.01) player.currentTime = start;
  };
  if (player.readyState > 0) begin();
  else player.addEventListener("loadedmetadata", begin, { once: true });
  const failed = () => {
    player.hidden = true;
    $(".unplayable", player.parentElement).hidden = false;
  };
  player.addEventListener("error", failed);
  if (player.error) failed();
}

function sound(value) {
  ugc.muted = value === "licensed";
  licensed.muted = value === "ugc";
}
const sounds = $$('input[name="sound"]');
for (const choice of sounds) choice.addEventListener("change", () => sound(choice.value));
sound("ugc");

const actions = {
  play: () => (playing() ? pause() : play()),
  begin: () => seek(at.ugc[0]),
  end: () => seek(at.ugc[1] - Math.min(3, (at.ugc[1] - at.ugc[0]) / 2)),
  back: (by = 1) => seek(ugc.currentTime - by),
  on: (by = 1) => seek(ugc.currentTime + by),
};
for (const [name, act] of Object.entries(actions)) {
  $(`[data-do="${name}"]`).addEventListener("click", () => act());
}

// --- keys -------------------------------------------------------------------------------------

document.addEventListener(
  "keydown",
  (event) => {
    if (busy(event)) return;
    const key = event.key;
    const by = event.shiftKey ? 5 : 1;
    if (key === " " && !event.target.matches("button, a, summary, input")) actions.play();
    else if (key === "ArrowLeft") actions.back(by);
    else if (key === "ArrowRight") actions.on(by);
    else if (key === "[" || (key === "Home" && event.target === track)) actions.begin();
    else if (key === "]" || (key === "End" && event.target === track)) actions.end();
    else if (key.toLowerCase() === "m") {
      const now = sounds.findIndex((choice) => choice.checked);
      const next = sounds[(now + 1) % sounds.length];
      next.checked = true;
      sound(next.value);
    } else if (key.toLowerCase() === "l") $('[data-do="loop"]').click();
    else if (key === "Escape") $("[data-back]").click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  },
  true,
);

// --- the list it came from --------------------------------------------------------------------

const list = lastList();
const here = list.ids.indexOf(match.match);
$("[data-back]").href = list.address;
for (const stepper of $$("[data-step]")) {
  const next = here < 0 ? undefined : list.ids[here + Number(stepper.dataset.step)];
  if (!next) continue;
  stepper.hidden = false;
  stepper.addEventListener("click", () => {
    location.href = location.href.replace(/[^/]+$/, next);
  });
}

// --- time line --------------------------------------------------------------------------------

const secondAt = (event) => {
  const box = track.getBoundingClientRect();
  return from + ((event.clientX - box.left) / box.width) * (to - from);
};
track.addEventListener("pointerdown", (event) => {
  track.setPointerCapture(event.pointerId);
  seek(secondAt(event));
});
track.addEventListener("pointermove", (event) => {
  if (event.buttons) seek(secondAt(event));
});

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// The JSON of a preview; the server makes it at the first look, and may ask to come again.
async function preview(name) {
  for (let turn = 0; turn < 120; turn += 1) {
    const answer = await fetch(`${match.previews}/${name}`, {
      headers: { accept: "application/json" },
    });
    if (answer.status !== 503) {
      const body = await answer.json().catch(() => ({}));
      return answer.ok ? body : { failed: body.detail || "This cannot be shown." };
    }
    await wait(1000 * (Number(answer.headers.get("retry-after")) || 2));
  }
  return { failed: "The server is busy: reload the page in a moment." };
}

const SVG = "http://www.w3.org/2000/svg";

function draw(svg, name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  svg.append(made);
}

function wave(side, peaks) {
  const width = 1000 / peaks.length;
  const loudest = Math.max(...peaks.filter((peak) => peak !== null), 0.05);
  const bars = peaks.map((peak, place) => {
    const half = peak === null ? 0 : Math.max((48 * peak) / loudest, 0.6);
    const x = place * width;
    return `M${x.toFixed(2)} ${(50 - half).toFixed(1)}h${(width * 0.8).toFixed(2)}v${(2 * half).toFixed(1)}h-${(width * 0.8).toFixed(2)}z`;
  });
  draw($(`[data-wave="${side}"]`), "path", { d: bars.join("") });
}

async function side(name) {
  const found = await preview(`${name}.json`);
  const note = $(`[data-no="${name}"]`);
  const image = $(`[data-strip="${name}"]`);
  const missing = found.failed || found.no_strip;
  note.hidden = !missing;
  note.textContent = missing || "";
  if (!missing) {
    image.src = `${match.previews}/${name}.jpg`;
    image.hidden = false;
  }
  if (found.peaks) wave(name, found.peaks);
}

// Points of one curve; a gap in what is known ends a piece.
function curve(values, top) {
  let text = "";
  let pen = "M";
  values.forEach((value, place) => {
    if (value === null) {
      pen = "M";
      return;
    }
    const x = ((place + 0.5) * 1000) / values.length;
    const y = 70 - 65 * clamp(value / top, -0.4, 1);
    text += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  });
  return text;
}

async function pair() {
  const found = await preview("pair.json");
  const proof = $("[data-proof]");
  const all = Object.values(found.evidence || {}).flat();
  const top = Math.max(...all.filter((value) => value !== null), 0.1);
  draw(proof, "line", { x1: 0, x2: 1000, y1: 70, y2: 70, class: "zero" });
  for (const [modality, values] of Object.entries(found.evidence || {})) {
    draw(proof, "path", { d: curve(values, top), class: modality });
  }
  for (const box of $$("[data-matrix]")) {
    const modality = box.dataset.matrix;
    const none = $("[data-none]", box);
    if ((found.matrices || []).includes(modality)) {
      const image = $("img", box);
      image.src = `${match.previews}/${modality}.png`;
      image.hidden = false;
      none.hidden = true;
    } else none.textContent = found.failed || found.reason || "nothing to compare";
  }
}

show(at.ugc[0]);
pair();
side("ugc");
side("licensed");
