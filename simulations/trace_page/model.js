"use strict";
// What the page knows: the events, which of them are shown, and where. Without a look at the screen:
// a position is counted in rows, from 0 at the top.

const trace = JSON.parse(document.getElementById("trace").textContent);

const GROUPS = {  // of kinds, in the order of their boxes; what they look like is in draw.js
  operation: "operations", message: "messages", fault: "faults", process: "processes",
  state: "states", log: "logs", other: "others",
};
const PROCESS_KINDS = new Set(["start", "start.fail", "stop", "crash", "kill"]);

function groupOf(kind) {
  if (PROCESS_KINDS.has(kind)) return "process";
  const first = kind.split(".")[0];
  return first in GROUPS ? first : "other";
}

// Times are in nanoseconds since the world began.
const events = trace.events.map(([time, until, node, peer, kind, name, detail, entity], number) => ({
  number, time, until,
  node: trace.texts[node] || "outside",
  peer: trace.texts[peer],
  kind: trace.texts[kind],
  name: trace.texts[name],
  detail: trace.texts[detail],
  entity: trace.texts[entity],
  group: groupOf(trace.texts[kind]),
}));

const laneNames = [...new Set(events.flatMap((e) => (e.peer ? [e.node, e.peer] : [e.node])))]
  .sort((a, b) => (b === "outside") - (a === "outside") ||
    a.localeCompare(b, "en", { numeric: true }));
const laneOf = new Map(laneNames.map((name, i) => [name, i]));
for (const e of events) {
  e.lane = laneOf.get(e.node);
  e.peerLane = e.peer ? laneOf.get(e.peer) : e.lane;
}

const entityCounts = new Map();
for (const e of events) if (e.entity) entityCounts.set(e.entity, (entityCounts.get(e.entity) || 0) + 1);

// When no process ran, per lane: the events that ended one and started the next, null for the ends
// of the run. Only of machines of which starts are known.
const downs = laneNames.map(() => []);
{
  const ended = new Map();
  for (const e of events) {
    if (e.group !== "process") continue;
    if (e.kind === "start") {
      if (!ended.has(e.lane) && trace.dropped === 0) downs[e.lane].push([null, e]);
      if (ended.get(e.lane)) downs[e.lane].push([ended.get(e.lane), e]);
      ended.set(e.lane, null);
    } else if (!ended.get(e.lane)) {
      ended.set(e.lane, e);
    }
  }
  for (const [lane, e] of ended) if (e) downs[lane].push([e, null]);
}

const filter = { entity: "", hidden: new Set(), toScale: false };

// With an entity chosen, what is about another one is hidden, and messages about none. What happens
// to nodes stays: it explains.
function isShown(e) {
  if (filter.hidden.has(e.group)) return false;
  if (!filter.entity) return true;
  if (e.entity) return entityMatches(e.entity);
  return e.group !== "message" && e.group !== "operation";
}

function entityMatches(entity) {
  return entityCounts.has(filter.entity) ? entity === filter.entity
    : entity.includes(filter.entity);
}

// Points are moments of shown events: { t, e, end }, and the failure: { t, failure: true }.
// position[i] is that of points[i]; both only grow. e.from and e.to are indexes of points.
let points = [];
let positions = [];
let shown = [];
let spans = [];  // shown events with an end
let rows = 0;
const slotsOf = laneNames.map(() => 0);  // how many bars lie side by side

function layOut() {
  points = [];
  for (const e of events) e.from = e.to = undefined;
  shown = events.filter(isShown);
  spans = [];
  for (const e of shown) {
    points.push({ t: e.time, e, end: false });
    if (e.until === null) continue;
    points.push({ t: e.until, e, end: true });
    spans.push(e);
  }
  if (trace.failure) points.push({ t: trace.failure.at, failure: true });
  // Of one moment: what arrives may end something, what ends may begin the next.
  const rank = (p) => (p.failure ? 2 : p.end && p.e.group === "message" ? 0 : 1);
  points.forEach((p, i) => { p.order = i; });
  points.sort((a, b) => a.t - b.t || rank(a) - rank(b) || a.order - b.order);
  points.forEach((p, i) => {
    if (p.e) p.e[p.end ? "to" : "from"] = i;
  });

  positions = new Array(points.length);
  const first = points.length ? points[0].t : 0;
  const length = points.length ? points[points.length - 1].t - first : 0;
  for (let i = 0, at = 0.8; i < points.length; ++i) {
    if (filter.toScale) {
      positions[i] = 0.8 + (length ? (points[i].t - first) / length : 0) * points.length;
    } else {
      if (i > 0) at += 1 + gapRows(points[i].t - points[i - 1].t);
      positions[i] = at;
    }
  }
  rows = points.length ? positions[points.length - 1] + 1.2 : 1;
  giveSlots();
}

// A pause of more than 10 ms gets some room, more the longer it was, but never much.
function gapRows(nanoseconds) {
  return nanoseconds < 1e7 ? 0 : Math.min(2, 0.5 + Math.log10(nanoseconds / 1e7) * 0.5);
}

// Bars that overlap in time lie side by side, at most 10 of them.
function giveSlots() {
  slotsOf.fill(0);
  const ends = laneNames.map(() => []);
  for (const e of spans) {
    if (e.group === "message") continue;
    const free = ends[e.lane];
    let slot = free.findIndex((end) => end <= e.time);
    if (slot < 0) slot = free.length < 10 ? free.length : 9;
    free[slot] = e.until;
    e.slot = slot;
    slotsOf[e.lane] = Math.max(slotsOf[e.lane], slot + 1);
  }
}

// Index of the first point whose value is at least `least`.
function lowerBound(values, least, value = (x) => x) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value(values[middle]) < least) low = middle + 1; else high = middle;
  }
  return low;
}

function positionOfTime(t) {
  const i = lowerBound(points, t, (p) => p.t);
  if (i >= points.length) return rows;
  if (points[i].t === t || i === 0) return i === 0 && points[0].t !== t ? 0 : positions[i];
  const part = (t - points[i - 1].t) / (points[i].t - points[i - 1].t);
  return positions[i - 1] + (positions[i] - positions[i - 1]) * part;
}

function positionOfEvent(e) {
  return e.from === undefined ? positionOfTime(e.time) : positions[e.from];
}

function failurePosition() {
  return trace.failure ? positions[points.findIndex((p) => p.failure)] : null;
}

// --- words -------------------------------------------------------------------------------------

function seconds(ns, digits = 6) {
  return (ns / 1e9).toFixed(digits);
}

function duration(ns) {
  const size = Math.abs(ns);
  if (size >= 1e9) return `${(ns / 1e9).toPrecision(3)} s`;
  if (size >= 1e6) return `${(ns / 1e6).toPrecision(3)} ms`;
  if (size >= 1e3) return `${(ns / 1e3).toPrecision(3)} µs`;
  return `${ns} ns`;
}

const OUTCOMES = { "operation.success": "✓", "operation.refused": "✗", "operation.unknown": "?" };

function firstLine(text, number = 0) {
  return text.split("\n")[number] || "";
}

// What stands beside a point, in a line.
function label(p) {
  if (p.failure) return `FAILED: ${trace.failure.check}`;
  const e = p.e;
  switch (e.group) {
    case "message":
      return p.end ? `from ${e.node}: ${firstLine(e.detail)}`
        : `${e.until === null ? "× did not arrive: " : ""}to ${e.peer}: ${firstLine(e.detail, 1) || firstLine(e.detail)}`;
    case "operation":
      return p.end ? `${OUTCOMES[e.kind] || "·"} ${firstLine(e.detail)} ‹ ${e.name}` : e.name;
    case "fault":
      return p.end ? `healed: ${e.name}` : e.name;
    case "process":
      return [e.kind, e.kind === "start" ? e.detail : e.name].filter(Boolean).join(" ");
    case "other":
      return `${e.kind} ${e.name}`;
    default: {  // a line of the log: what stands behind its event's name says more
      const said = e.detail.indexOf(`${e.name}: `);
      return said < 0 ? e.name : e.detail.slice(said + e.name.length + 2);
    }
  }
}
