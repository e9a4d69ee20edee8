// What the reader does: filters, zoom, choice, keys. Text from the run is only ever set as text.

const $ = (id) => document.getElementById(id);
const ZOOM_MAX = 60;

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

// --- what does not change ----------------------------------------------------------------------

function fillHeader() {
  const name = `${trace.simulation} · seed ${trace.seed}`;
  document.title = `${trace.failure ? "FAILED " : ""}${name}`;
  $("title").textContent = name;
  if (trace.failure) {
    $("verdict").className = "failed";
    $("verdict").textContent =
      `failed: ${trace.failure.check}, at ${seconds(trace.failure.at)} s`;
    $("what").textContent = trace.failure.what;
    $("what").hidden = false;
  } else {
    $("verdict").textContent = "every check held";
    $("jump").disabled = true;
  }
  if (trace.dropped) {
    $("dropped").textContent = `The run had more events than a page holds: the first ` +
      `${trace.dropped.toLocaleString("en")} are not here, these are the last ` +
      `${events.length.toLocaleString("en")}.`;
    $("dropped").hidden = false;
  }
  $("replay").textContent = trace.replay || "(not known)";
  $("draw").textContent = trace.draw || "(nothing)";
  $("faults").textContent = trace.faults.trim() || "(none)";
  for (const [entity, count] of [...entityCounts].sort((a, b) => a[0].localeCompare(b[0]))) {
    const option = element("option", `${count} events`);
    option.value = entity;
    $("entities").append(option);
  }
}

function fillKinds() {
  const counts = {};
  for (const e of events) counts[e.group] = (counts[e.group] || 0) + 1;
  for (const group of Object.keys(GROUPS)) {
    if (!counts[group]) continue;
    const box = element("input");
    box.type = "checkbox";
    box.checked = !filter.hidden.has(group);
    box.dataset.group = group;
    box.addEventListener("change", () => {
      if (box.checked) filter.hidden.delete(group); else filter.hidden.add(group);
      relayOut();
    });
    const sign = element("span", SIGNS[group], "key");
    sign.style.color = `var(--${{ process: "bad", log: "warn", other: "dim" }[group] || group})`;
    const one = element("label");
    one.append(box, sign, ` ${GROUPS[group]} ${counts[group].toLocaleString("en")}`);
    $("kinds").append(one);
  }
}

// --- drawing and scrolling ---------------------------------------------------------------------

let drawing = false;
let listing = 0;

function redraw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    const [first, last] = draw();
    for (const title of $("lanes").children) {
      title.style.left = `${laneX(Number(title.dataset.lane)) + 8}px`;
    }
    clearTimeout(listing);
    listing = setTimeout(() => listRows(first, last), 100);
  });
}

// For who does not see the canvas.
function listRows(first, last) {
  $("rows").replaceChildren(...points.slice(first, Math.min(last, first + 100)).map((p) =>
    element("li", p.failure ? `${seconds(p.t)} s: ${label(p)}`
      : `${seconds(p.t)} s, ${p.end ? laneNames[p.e.peerLane] : p.e.node}: ${label(p)}`)));
}

function resize() {
  // Clients have the longest texts.
  const shares = laneNames.map((name) => (name === "outside" ? 1.5 : 1));
  const share = Math.max(LANE_MIN, (scroller.clientWidth - GUTTER - 2) /
    shares.reduce((sum, one) => sum + one, 0));
  shares.forEach((one, i) => { view.lanes[i + 1] = Math.floor(view.lanes[i] + one * share); });
  const spare = rows * view.zoom - scroller.clientHeight;
  canvas.style.height = `${scroller.clientHeight}px`;
  $("space").style.height = `${Math.max(0, spare)}px`;
  $("space").style.width = `${GUTTER + view.lanes.at(-1)}px`;
  for (const title of $("lanes").children)
    title.style.width = `${laneWidth(Number(title.dataset.lane)) - 14}px`;
  redraw();
}

// Keeps what is in the middle, or the chosen event, where it is.
function relayOut() {
  const middle = scroller.clientHeight / 2;
  const old = (scroller.scrollTop + middle) / view.zoom;
  const time = points.length ? points[Math.min(points.length - 1, lowerBound(positions, old))].t : 0;
  filter.entity = $("entity").value;
  layOut();
  if (view.chosen && !shown.includes(view.chosen)) choose(null);
  resize();
  scroller.scrollTop = positionOfTime(time) * view.zoom - middle;
  const all = events.length.toLocaleString("en");
  $("status").textContent = `${shown.length.toLocaleString("en")} of ${all} events`;
  find(0);
  remember();
  redraw();
}

// What is at `y` stays there: the chosen event, if it is in view.
function zoomTo(zoom, y = anchor()) {
  const least = Math.min(4, scroller.clientHeight / rows);
  const position = (scroller.scrollTop + y) / view.zoom;
  view.zoom = Math.min(ZOOM_MAX, Math.max(least, zoom));
  resize();
  scroller.scrollTop = position * view.zoom - y;
}

function anchor() {
  const e = view.chosen;
  const y = e ? positions[e.from] * view.zoom - scroller.scrollTop : -1;
  return y >= 0 && y <= scroller.clientHeight ? y : scroller.clientHeight / 2;
}

function centre(position) {
  scroller.scrollTop = position * view.zoom - scroller.clientHeight / 2;
  redraw();
}

// In view, with some around it.
function reveal(i) {
  look();
  const y = yOfPoint(i);
  if (y < 40 || y > scroller.clientHeight - 40) centre(positions[i]);
}

// --- choice ------------------------------------------------------------------------------------

function choose(e, show = true) {
  view.chosen = e;
  const panel = $("details");
  panel.replaceChildren();
  if (!e) {
    panel.append(element("p", "Point at an event, or choose one with a click or the arrow keys.",
      "dim"));
    return redraw();
  }
  panel.append(element("h2", e.name || e.kind));
  const facts = element("dl");
  const fact = (name, value) => facts.append(element("dt", name), element("dd", value));
  fact("kind", e.kind);
  fact("where", e.peer ? `${e.node} → ${e.peer}` : e.node);
  if (e.entity) fact("entity", e.entity);
  fact("at", `${seconds(e.time, 9)} s`);
  if (e.until !== null) fact("until", `${seconds(e.until, 9)} s (${duration(e.until - e.time)})`);
  if (e.until === null && e.kind === "message") fact("until", "did not arrive");
  if (trace.failure) {
    const before = trace.failure.at - e.time;
    fact("failure", before >= 0 ? `${duration(before)} later` : `${duration(-before)} before`);
  }
  panel.append(facts);
  if (e.entity && e.entity !== filter.entity) {
    const only = element("button", "only this entity");
    only.addEventListener("click", () => { $("entity").value = e.entity; relayOut(); });
    panel.append(only);
  }
  if (e.detail) panel.append(element("pre", e.detail));
  if (show) reveal(e.from);
  redraw();
}

function step(by, related) {
  if (!shown.length) return;
  const now = view.chosen;
  let i = now ? shown.indexOf(now) + by : Math.max(0, lowerBound(shown,
    scroller.scrollTop / view.zoom, (e) => positions[e.from]));
  const fits = (e) => !related || !now ||
    (now.entity ? e.entity === now.entity : e.lane === now.lane);
  while (shown[i] && !fits(shown[i])) i += by;
  if (shown[i]) choose(shown[i]);
}

function jump() {
  if (!trace.failure) return;
  const before = shown.filter((e) => e.time <= trace.failure.at);
  choose(before.at(-1) || null, false);
  if (view.zoom < LABELS_FROM) zoomTo(18);
  centre(failurePosition());
}

// The event at a place on the canvas, or null.
function eventAt(x, y) {
  const lane = view.lanes.findLastIndex((left) => left <= x + scroller.scrollLeft - GUTTER);
  if (x < GUTTER || lane < 0 || lane >= laneNames.length) return null;
  let best = null;
  const reach = Math.max(6, Math.min(10, view.zoom / 2)) / view.zoom;
  const position = (scroller.scrollTop + y) / view.zoom;
  for (let i = lowerBound(positions, position - reach); i < points.length; ++i) {
    const distance = Math.abs(positions[i] - position);
    if (positions[i] > position + reach) break;
    const p = points[i];
    if (p.failure || (p.end ? p.e.peerLane : p.e.lane) !== lane) continue;
    if (!best || distance < best.distance) best = { e: p.e, distance };
  }
  if (best) return best.e;
  const bar = (x - laneX(lane) - 5) / BAR;  // a bar has an event all along
  return spans.find((e) => e.lane === lane && e.slot === Math.floor(bar) &&
    positions[e.from] <= position && positions[e.to] >= position) || null;
}

// --- finding -----------------------------------------------------------------------------------

function matches(e) {
  return (e.name + "\n" + e.detail + "\n" + e.entity).toLowerCase().includes(view.found);
}

function find(by) {
  view.found = $("find").value.toLowerCase();
  const hits = view.found ? shown.filter(matches) : [];
  $("found").textContent = view.found ? `${hits.length.toLocaleString("en")} found` : "";
  if (by && hits.length) {
    const now = view.chosen ? view.chosen.number : -1;
    const next = by > 0 ? hits.find((e) => e.number > now) || hits[0]
      : hits.filter((e) => e.number < now).at(-1) || hits.at(-1);
    choose(next);
    $("found").textContent = `${hits.indexOf(next) + 1} of ${hits.length.toLocaleString("en")}`;
  }
  redraw();
}

// --- the address keeps the filter, so that it can be handed on ---------------------------------

function remember() {
  const kept = new URLSearchParams();
  if (filter.entity) kept.set("entity", filter.entity);
  if (filter.hidden.size) kept.set("hide", [...filter.hidden].join(","));
  if (filter.toScale) kept.set("scale", "time");
  const text = kept.toString();
  history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
}

function recall() {
  const kept = new URLSearchParams(location.hash.slice(1));
  $("entity").value = kept.get("entity") || "";
  filter.hidden = new Set((kept.get("hide") || "").split(",").filter(Boolean));
  setScale(kept.get("scale") === "time");
}

function setScale(toScale) {
  filter.toScale = toScale;
  $("scale").setAttribute("aria-pressed", String(toScale));
}

// --- input -------------------------------------------------------------------------------------

function listen() {
  $("entity").addEventListener("input", relayOut);
  $("find").addEventListener("input", () => find(0));
  $("find").addEventListener("keydown", (event) => {
    if (event.key === "Enter") find(event.shiftKey ? -1 : 1);
  });
  $("in").addEventListener("click", () => zoomTo(view.zoom * 1.5));
  $("out").addEventListener("click", () => zoomTo(view.zoom / 1.5));
  $("fit").addEventListener("click", () => zoomTo(0));
  $("jump").addEventListener("click", jump);
  $("scale").addEventListener("click", () => { setScale(!filter.toScale); relayOut(); });

  scroller.addEventListener("scroll", redraw);
  scroller.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoomTo(view.zoom * Math.exp(-event.deltaY / 300), event.offsetY);
  }, { passive: false });
  canvas.addEventListener("mousemove", (event) => {
    const e = eventAt(event.offsetX, event.offsetY);
    canvas.style.cursor = e ? "pointer" : "";
    $("tip").hidden = !e;
    if (!e) return;
    $("tip").textContent = [e.name, e.until === null ? "" : duration(e.until - e.time),
      e.detail.slice(0, 400)].filter(Boolean).join("\n");
    const left = Math.min(event.clientX + 14, window.innerWidth - $("tip").offsetWidth - 8);
    const below = event.clientY + 16;
    const fits = below + $("tip").offsetHeight < window.innerHeight;
    $("tip").style.left = `${left}px`;
    $("tip").style.top = `${fits ? below : event.clientY - $("tip").offsetHeight - 10}px`;
  });
  canvas.addEventListener("mouseleave", () => { $("tip").hidden = true; });
  canvas.addEventListener("click", (event) => choose(eventAt(event.offsetX, event.offsetY), false));
  const seek = (event) => {
    if (event.buttons & 1) centre(event.offsetY / map.clientHeight * rows);
  };
  map.addEventListener("pointerdown", seek);
  map.addEventListener("pointermove", seek);
  document.addEventListener("keydown", onKey);
  new ResizeObserver(resize).observe(scroller);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readColours();
    redraw();
  });
}

const KEYS = {
  ArrowDown: () => step(1), ArrowUp: () => step(-1),
  ArrowRight: () => step(1, true), ArrowLeft: () => step(-1, true),
  "+": () => zoomTo(view.zoom * 1.5), "=": () => zoomTo(view.zoom * 1.5),
  "-": () => zoomTo(view.zoom / 1.5), 0: () => zoomTo(0),
  f: jump, e: () => $("entity").select(), "/": () => $("find").select(),
  n: () => find(1), N: () => find(-1), t: () => $("scale").click(),
};

function onKey(event) {
  const field = event.target.closest("input:not([type=checkbox])");
  if (event.key === "Escape") {
    if (field) field.value = "";
    else if (view.chosen) return choose(null);
    else $("entity").value = $("find").value = "";
    relayOut();
    return scroller.focus();
  }
  if (field || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

readColours();
fillHeader();
for (const [lane, name] of laneNames.entries()) {
  const title = element("b", name);
  title.dataset.lane = lane;
  $("lanes").append(title);
}
recall();
fillKinds();
listen();
choose(null);
relayOut();
if (trace.failure) jump(); else scroller.scrollTop = 0;
scroller.focus();
