// What pages do beyond showing: colours, keys, the filter, new looks, curves. Everything else works without it.
"use strict";

// --- colours: as the system has them, light, dark; before anything is drawn
const THEMES = ["system", "light", "dark"];
function theme() {
  try { return localStorage.getItem("theme") || "system"; } catch { return "system"; }
}
function useTheme(name) {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  try { localStorage.setItem("theme", name); } catch { /* a browser that keeps nothing */ }
  const button = document.getElementById("theme");
  if (button) button.textContent = `Colours: ${name}`;
  document.dispatchEvent(new Event("colours"));
}
useTheme(theme());

const say = (words) => { document.getElementById("news").textContent = words; };

// --- ages, by the server's clock: this machine's may be another
let ahead = 0;
function readClock(page) { ahead = Date.now() - Date.parse(page.documentElement.dataset.now); }
function ageWords(seconds) {
  for (const [length, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) if (seconds >= length) return `${Math.floor(seconds / length)} ${unit} ago`;
  return seconds >= 1 ? `${Math.floor(seconds)} s ago` : "now";
}
function showAges() {
  for (const item of document.querySelectorAll("time.age")) {
    const words = ageWords((Date.now() - ahead - Date.parse(item.dateTime)) / 1000);
    if (item.textContent !== words) item.textContent = words;
  }
}

// --- the page again, part by part: what has the focus and what is unfolded stays so
let asked = null;
async function ask(signal) {
  const answer = await fetch(location.href, { signal, headers: { Accept: "text/html" } });
  return answer.ok || answer.status === 404 ? answer.text() : null;
}
async function renew() {
  if (asked) asked.abort();
  asked = new AbortController();
  const text = await ask(asked.signal).catch(() => null); // ended by a newer question, or the stream of news says what is wrong
  if (text === null) return;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  if (fresh.querySelector("h1")?.textContent !== document.querySelector("h1").textContent) { location.reload(); return; } // it is gone, or there again
  readClock(fresh);
  for (const part of document.querySelectorAll("[data-part]")) {
    const other = named(fresh, part.dataset.part);
    if (other && other.innerHTML !== part.innerHTML) replace(part, other);
  }
  exchange(fresh);
  const words = document.getElementById("answered")?.textContent;
  if (words && words !== renew.words) { if (renew.words) say(words); renew.words = words; }
  showAges();
}
const named = (page, name) => page.querySelector(`[data-part="${CSS.escape(name)}"]`);
function exchange(fresh) { // sections that are new, or no more: an agent that answers now, a transfer that began
  for (const part of document.querySelectorAll("main > [data-part]")) if (!named(fresh, part.dataset.part)) part.remove();
  for (const other of [...fresh.querySelectorAll("main > [data-part]")].reverse()) {
    if (named(document, other.dataset.part)) continue;
    let next = other.nextElementSibling;
    while (next && !(next.dataset.part && named(document, next.dataset.part))) next = next.nextElementSibling;
    document.querySelector("main").insertBefore(document.importNode(other, true), next && named(document, next.dataset.part));
  }
}
function replace(part, other) {
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const key = focused?.closest("[data-key]")?.dataset.key;
  const unfolded = [...part.querySelectorAll("details")].map((item) => item.open);
  const shown = [...part.querySelectorAll(".scroll")].map((item) => item.scrollLeft);
  part.replaceChildren(...document.importNode(other, true).childNodes);
  part.querySelectorAll("details").forEach((item, place) => { if (place < unfolded.length) item.open = unfolded[place]; });
  part.querySelectorAll(".scroll").forEach((item, place) => { item.scrollLeft = shown[place] || 0; });
  if (key) rowLink(part.querySelector(`[data-key="${CSS.escape(key)}"]`))?.focus({ preventScroll: true });
}

// --- news of the server, while the page is seen
let stream = null;
let number = null;
function listen() {
  if (document.hidden) { stream?.close(); stream = null; return; }
  if (stream) return;
  const curve = document.getElementById("curve");
  stream = new EventSource(curve ? curve.dataset.source : "/events");
  stream.addEventListener("look", (event) => {
    const look = JSON.parse(event.data).number;
    if (number !== null && look !== number) renew();
    number = look;
  });
  stream.addEventListener("rate", (event) => drawRate(curve, JSON.parse(event.data)));
  stream.addEventListener("error", lose);
  stream.addEventListener("open", () => { document.getElementById("lost").textContent = ""; });
}
function lose() {
  const lost = document.getElementById("lost");
  const isRefused = stream?.readyState === EventSource.CLOSED; // by an answer, after which the browser does not ask again by itself
  if (isRefused) { stream = null; setTimeout(listen, 5000); }
  const words = isRefused ? "The server refuses its news to this page: reload it." : "The server of this page does not answer; it is asked again and again.";
  if (!lost.textContent.startsWith(words)) lost.textContent = `${words} What stands here is as it was.`;
}

// --- filter: the server filters, so that the page never holds more rows than it shows
let pause = 0;
function filterSoon(field) {
  clearTimeout(pause);
  pause = setTimeout(() => {
    const place = new URL(location.href);
    place.searchParams.delete("page");
    if (field.value.trim()) place.searchParams.set("filter", field.value.trim()); else place.searchParams.delete("filter");
    history.replaceState(null, "", place);
    renew();
  }, 150);
}

// --- keys
const rows = () => [...document.querySelectorAll("main tr[data-key]")].filter((row) => row.offsetParent && rowLink(row));
const rowLink = (row) => row?.querySelector("th a, a");
function step(by) {
  const all = rows();
  if (!all.length) return;
  const now = all.findIndex((row) => row.contains(document.activeElement));
  rowLink(all[Math.min(all.length - 1, Math.max(0, now < 0 ? (by > 0 ? 0 : all.length - 1) : now + by))]).focus();
}
function turn(rel) { document.querySelector(`a[rel="${rel}"]`)?.click(); }
function nextTheme() {
  useTheme(THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
  say(`colours: ${theme()}`);
}
const ACTS = {
  "/": () => document.querySelector("main input")?.focus(),
  j: () => step(1),
  k: () => step(-1),
  n: () => turn("next"),
  p: () => turn("prev"),
  t: nextTheme,
  "?": () => document.getElementById("keys").showModal(),
};
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById("keys").open) return;
  if (event.target.matches("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (Object.hasOwn(ACTS, event.key)) { event.preventDefault(); ACTS[event.key](); }
}

// --- the curve of a transfer
let plot = null;
const LARGE = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];
function bits(rate) {
  const found = LARGE.find(([size]) => rate * 8 >= size);
  return found ? `${+(rate * 8 / found[0]).toFixed(2)} ${found[1]}b/s` : `${Math.round(rate * 8)} b/s`;
}
const colour = (name) => { // the colour that a variable of the sheet has now: a canvas knows no variables
  const probe = document.createElement("span");
  probe.className = name;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
};
function drawRate(place, rate) {
  document.getElementById("curve-words").textContent = rate.words;
  drawRate.last = rate;
  if (!rate.samples.length) return;
  const times = rate.samples.map((sample) => sample[0]);
  const data = [times, rate.samples.map((sample) => sample[2])];
  if (rate.limit) data.push(times.map(() => rate.limit));
  if (plot && plot.data.length === data.length) plot.setData(data);
  else { plot?.destroy(); plot = new uPlot(options(place, rate), data, place); }
  place.dataset.points = String(times.length);
  place.setAttribute("aria-label", `Rate over time, ${times.length} samples. ${rate.words}`);
  showSamples(rate.samples);
}
function options(place, rate) {
  const text = colour("");
  const axis = { stroke: text, grid: { stroke: colour("dim"), width: 0.3 }, ticks: { stroke: colour("dim"), width: 0.5 } };
  const series = [
    { label: "Seconds", value: (_, value) => (value == null ? "–" : value.toFixed(1)) },
    { label: "Rate", stroke: colour("state busy"), width: 2, points: { show: rate.samples.length < 3 }, value: (_, value) => (value == null ? "–" : bits(value)) },
  ];
  if (rate.limit) series.push({ label: rate.limit_words, stroke: colour("state warning"), dash: [6, 4], width: 1.5, points: { show: false }, value: (_, value) => (value == null ? "–" : bits(value)) });
  return {
    width: place.clientWidth,
    height: 270,
    scales: { x: { time: false, range: (_, low, high) => [0, Math.max(high, 1)] }, y: { range: (_, low, high) => [0, Math.max(high, rate.limit || 0, 1) * 1.08] } },
    series,
    axes: [{ ...axis, values: (_, values) => values.map((value) => `${value} s`) }, { ...axis, size: 90, values: (_, values) => values.map(bits) }],
    cursor: { y: false },
  };
}
function showSamples(samples) {
  const shown = samples.slice(-12).reverse();
  const table = document.createElement("table");
  const caption = table.createCaption();
  caption.textContent = `The newest ${shown.length} of ${samples.length} samples`;
  const head = table.createTHead().insertRow();
  for (const title of ["Seconds", "Bytes", "Rate"]) {
    const cell = document.createElement("th");
    cell.scope = "col"; cell.className = "number"; cell.textContent = title;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const [seconds, bytes, rate] of shown) {
    const row = body.insertRow();
    for (const words of [seconds.toFixed(1), bytes.toLocaleString("en"), bits(rate)]) {
      const cell = row.insertCell();
      cell.className = "number"; cell.textContent = words;
    }
  }
  document.getElementById("curve-rows").replaceChildren(table);
}
function drawAgain() {
  const place = document.getElementById("curve");
  if (!plot || !drawRate.last) return;
  plot.destroy();
  plot = null;
  drawRate(place, drawRate.last);
}

document.addEventListener("DOMContentLoaded", () => {
  const button = document.getElementById("theme");
  readClock(document);
  button.hidden = false;
  button.addEventListener("click", nextTheme);
  useTheme(theme());
  const help = document.getElementById("help");
  help.hidden = false;
  help.addEventListener("click", ACTS["?"]);
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", listen);
  document.addEventListener("colours", drawAgain);
  addEventListener("resize", drawAgain);
  const field = document.getElementById("filter");
  field?.addEventListener("input", () => filterSoon(field));
  renew.words = document.getElementById("answered")?.textContent;
  setInterval(showAges, 1000);
  listen();
});
