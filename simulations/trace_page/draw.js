// Draws what is in view, and only that.

const scroller = document.getElementById("scroll");
const canvas = document.getElementById("canvas");
const map = document.getElementById("map");
const GUTTER = 92;   // times
const LANE_MIN = 200;
const BAR = 7;
const LABELS_FROM = 11;  // pixels per row
const FONT = '12px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

// How to tell groups apart without colour: each has a sign of its own.
const SIGNS = {
  operation: "▮", message: "→", fault: "ϟ", process: "■", state: "◆", log: "▲", other: "○",
};

// lanes[i] is where lane i begins, from the left edge of the first one; one more for the end.
const view = { zoom: 18, lanes: laneNames.map(() => 0).concat(0), chosen: null, found: "", top: 0, left: 0 };
let colours = {};

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["paper", "line", "ink", "dim", "accent", "message", "operation", "good", "bad",
    "fault", "fault-band", "state", "warn", "down", "choice", "found"])
    colours[name] = style.getPropertyValue(`--${name}`).trim();
}

function colourOf(e) {
  switch (e.kind) {
    case "operation.refused": return colours.dim;
    case "operation.unknown": return colours.warn;
    case "message": return e.until === null ? colours.warn : colours.message;
    case "log.error": case "crash": case "kill": case "start.fail": return colours.bad;
    case "log.warn": return colours.warn;
    case "start": return colours.good;
  }
  return colours[e.group] || colours.dim;
}

// Asking the scroller is slow: once for all points.
function look() {
  view.top = scroller.scrollTop;
  view.left = scroller.scrollLeft;
}

const laneX = (lane) => GUTTER + view.lanes[lane] - view.left;
const laneWidth = (lane) => view.lanes[lane + 1] - view.lanes[lane];
const lineX = (lane) => laneX(lane) + 12 + slotsOf[lane] * BAR;
const yOf = (position) => position * view.zoom - view.top;
const yOfPoint = (i) => yOf(positions[i]);

function sizeCanvas(target) {
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = target === canvas
    ? { width: scroller.clientWidth, height: scroller.clientHeight }
    : { width: target.clientWidth, height: target.clientHeight };
  if (target.width !== Math.round(width * ratio) || target.height !== Math.round(height * ratio)) {
    target.width = Math.round(width * ratio);
    target.height = Math.round(height * ratio);
    if (target === canvas) {
      target.style.width = `${width}px`;
      target.style.height = `${height}px`;
    }
  }
  const pen = target.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}

function draw() {
  const { pen, width, height } = sizeCanvas(canvas);
  look();
  const first = Math.max(0, lowerBound(positions, view.top / view.zoom) - 1);
  const last = Math.min(points.length,
    lowerBound(positions, (view.top + height) / view.zoom) + 1);
  pen.font = FONT;
  pen.textBaseline = "middle";
  pen.lineWidth = 1;
  drawLanes(pen, height);
  drawChoice(pen, width);
  drawSpans(pen, first, last, height);
  for (let lane = 0; lane < laneNames.length; ++lane) drawPoints(pen, lane, first, last);
  drawTimes(pen, first, last, height);
  drawFailure(pen, width);
  drawMap(height);
  return [first, last];
}

function drawLanes(pen, height) {
  for (let lane = 0; lane < laneNames.length; ++lane) {
    pen.fillStyle = colours.line;
    pen.fillRect(laneX(lane), 0, 1, height);
    pen.strokeStyle = colours.dim;
    line(pen, lineX(lane), 0, lineX(lane), height);
    for (const [from, to] of downs[lane]) {
      const top = Math.max(0, from ? yOf(positionOfEvent(from)) : 0);
      const bottom = Math.min(height, to ? yOf(positionOfEvent(to)) : height);
      if (bottom <= top) continue;
      pen.fillStyle = colours.paper;  // the life line ends
      pen.fillRect(lineX(lane) - 1, top, 3, bottom - top);
      pen.fillStyle = colours.down;
      pen.fillRect(laneX(lane) + 1, top, laneWidth(lane) - 1, bottom - top);
    }
  }
}

function drawChoice(pen, width) {
  const e = view.chosen;
  if (!e || e.from === undefined || !shown.includes(e)) return;
  pen.fillStyle = colours.choice;
  for (const i of e.until === null ? [e.from] : [e.from, e.to])
    pen.fillRect(0, yOfPoint(i) - Math.max(4, view.zoom / 2), width, Math.max(8, view.zoom));
}

// What begins above the view's end and ends below its beginning.
function drawSpans(pen, first, last, height) {
  const drawn = new Set();  // one per pixel is enough
  for (const e of spans) {
    if (e.to < first || e.from >= last) continue;
    const y1 = yOfPoint(e.from);
    const y2 = yOfPoint(e.to);
    if (view.zoom < LABELS_FROM && e !== view.chosen) {
      const ways = laneNames.length * laneNames.length * 16;
      const way = (e.lane * laneNames.length + e.peerLane) * 16 + (e.slot || 0);
      const end = view.zoom < 2 ? 0 : Math.round(y2 - y1) % 4096;
      const spot = ((Math.round(y1) + 1e6) * 4096 + end) * ways + way;
      if (drawn.has(spot)) continue;
      drawn.add(spot);
    }
    if (e.group === "message") {
      drawArrow(pen, e, y1, y2);
      continue;
    }
    const top = Math.max(-4, y1);
    const bottom = Math.min(height + 4, y2);
    if (e.group === "fault") {
      pen.fillStyle = colours["fault-band"];
      pen.fillRect(laneX(e.lane) + 1, top, laneWidth(e.lane) - 1, bottom - top);
    }
    pen.fillStyle = colourOf(e);
    pen.globalAlpha = e.kind === "operation.unknown" ? 0.55 : 1;
    pen.fillRect(laneX(e.lane) + 5 + e.slot * BAR, top, BAR - 3, Math.max(1.5, bottom - top));
    pen.globalAlpha = 1;
  }
}

function drawArrow(pen, e, y1, y2) {
  const chosen = e === view.chosen;
  pen.strokeStyle = pen.fillStyle = chosen ? colours.accent : colours.message;
  pen.lineWidth = chosen ? 2 : 1;
  pen.globalAlpha = chosen ? 1 : view.zoom < 1 ? 0.12 : view.zoom < 4 ? 0.3 : 0.75;
  const x1 = lineX(e.lane);
  const x2 = lineX(e.peerLane);
  line(pen, x1, y1, x2, y2);
  if (view.zoom >= 4 && x1 !== x2) arrowHead(pen, x1, y1, x2, y2);
  pen.globalAlpha = 1;
  pen.lineWidth = 1;
}

function arrowHead(pen, x1, y1, x2, y2) {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  pen.beginPath();
  pen.moveTo(x2, y2);
  for (const side of [-0.4, 0.4])
    pen.lineTo(x2 - 8 * Math.cos(angle + side), y2 - 8 * Math.sin(angle + side));
  pen.fill();
}

// Marks on the life line, and text where there is room for it.
function drawPoints(pen, lane, first, last) {
  const x = lineX(lane);
  pen.save();
  pen.beginPath();
  pen.rect(laneX(lane) + 1, -20, laneWidth(lane) - 2, canvas.height + 40);
  pen.clip();
  let labelled = -Infinity;
  let markedAt = NaN;
  let marked = "";
  for (let i = first; i < last; ++i) {
    const p = points[i];
    if (p.failure || (p.end ? p.e.peerLane : p.e.lane) !== lane) continue;
    const e = p.e;
    const y = yOfPoint(i);
    if (markedAt !== Math.round(y) || marked !== e.kind) {
      if (e.group === "fault" || PROCESS_KINDS.has(e.kind)) {  // across the lane
        pen.strokeStyle = colourOf(e);
        line(pen, laneX(lane) + 1, y, laneX(lane + 1), y);
      }
      mark(pen, p, x, y);
      markedAt = Math.round(y);
      marked = e.kind;
    }
    if (i > 0 && y < 3) continue;
    if (view.zoom < LABELS_FROM && y - labelled < 13) continue;
    if (y - labelled < Math.min(11, view.zoom)) continue;
    if (view.zoom < 4 && (e.group === "message" || e.group === "operation")) continue;
    labelled = y;
    const text = label(p);
    pen.globalAlpha = 0.85;  // arrows shine through
    pen.fillStyle = view.found && matches(e) ? colours.found
      : e === view.chosen ? colours.choice : colours.paper;
    pen.fillRect(x + 8, y - 7, pen.measureText(text).width + 4, 14);
    pen.globalAlpha = 1;
    pen.fillStyle = e.group === "message" && e.until !== null ? colours.dim
      : e.group === "operation" && !p.end ? colours.ink : colourOf(e);
    pen.fillText(text, x + 10, Math.max(y, 7));
  }
  pen.restore();
}

function mark(pen, p, x, y) {
  const e = p.e;
  pen.fillStyle = pen.strokeStyle = colourOf(e);
  pen.beginPath();
  switch (e.group) {
    case "message":
      pen.arc(x, y, view.zoom < 4 ? 1 : 2, 0, 7);
      pen.fill();
      return;
    case "process":
      if (e.kind === "start") {
        pen.moveTo(x - 5, y - 6); pen.lineTo(x + 6, y); pen.lineTo(x - 5, y + 6);
        return pen.fill();
      }
      pen.lineWidth = 2.5;
      line(pen, x - 5, y - 5, x + 5, y + 5);
      line(pen, x - 5, y + 5, x + 5, y - 5);
      pen.lineWidth = 1;
      return;
    case "fault":
      return pen.fillRect(x - 4, y - 4, 8, 8);
    case "state":
      pen.moveTo(x, y - 5); pen.lineTo(x + 5, y); pen.lineTo(x, y + 5); pen.lineTo(x - 5, y);
      return pen.fill();
    case "log":
      pen.moveTo(x, y - 5); pen.lineTo(x + 5, y + 4); pen.lineTo(x - 5, y + 4);
      return pen.fill();
    case "operation":
      if (e.until === null) pen.fillRect(x - 2, y - 2, 4, 4);
      return;
    default:
      pen.arc(x, y, 3, 0, 7);
      pen.stroke();
  }
}

function drawTimes(pen, first, last, height) {
  pen.fillStyle = colours.paper;
  pen.fillRect(0, 0, GUTTER, height);
  pen.textAlign = "right";
  let written = -Infinity;
  for (let i = first; i < last; ++i) {
    const y = yOfPoint(i);
    if (y - written < 15 || (i > 0 && y < 3)) continue;
    const gap = i > 0 ? points[i].t - points[i - 1].t : 0;
    if (!filter.toScale && gapRows(gap) * view.zoom >= 12 && y - written > 26) {
      pen.fillStyle = colours.dim;
      pen.fillText(`+${duration(gap)}`, GUTTER - 9, y - view.zoom * (1 + gapRows(gap)) / 2);
    }
    pen.fillStyle = points[i].e && points[i].e === view.chosen ? colours.accent : colours.ink;
    pen.fillText(seconds(points[i].t), GUTTER - 9, Math.max(y, 7));
    written = y;
  }
  pen.textAlign = "left";
}

function drawFailure(pen, width) {
  if (!trace.failure) return;
  const y = yOf(failurePosition());
  pen.fillStyle = colours.bad;
  pen.fillRect(GUTTER - 4, y - 1, width, 2);
  const text = `FAILED: ${trace.failure.check}`;
  const long = Math.min(pen.measureText(text).width + 12, width - GUTTER);
  pen.fillRect(Math.max(GUTTER, width - long), y - 9, long, 18);
  pen.fillStyle = colours.paper;
  pen.fillText(text, Math.max(GUTTER, width - long) + 6, y);
}

// The whole run, a column a lane, with the view as a frame.
function drawMap(viewHeight) {
  const { pen, width, height } = sizeCanvas(map);
  if (!height) return;
  const picture = mapPicture(width, height);
  pen.drawImage(picture, 0, 0, width, height);
  pen.strokeStyle = colours.accent;
  const y = (position) => position / rows * height;
  const top = view.top / view.zoom;
  pen.strokeRect(0.5, y(top) + 0.5, width - 1, Math.max(4, y(viewHeight / view.zoom)) - 1);
}

// Kept until the layout, the colours or the size change.
let kept = { of: null };

function mapPicture(width, height) {
  if (kept.of === points && kept.paper === colours.paper && kept.width === width &&
      kept.height === height) return kept.picture;
  const picture = document.createElement("canvas");
  kept = { of: points, paper: colours.paper, width, height, picture };
  picture.width = width;
  picture.height = height;
  const pen = picture.getContext("2d");
  const lane = width / laneNames.length;
  const y = (position) => position / rows * height;
  for (const e of spans) {
    if (e.group !== "fault") continue;
    pen.fillStyle = colours.fault;
    pen.globalAlpha = 0.35;
    pen.fillRect(e.lane * lane, y(positions[e.from]), lane,
      Math.max(1, y(positions[e.to]) - y(positions[e.from])));
  }
  const drawn = new Set();
  for (const important of [false, true]) {
    for (const e of shown) {
      if ((e.group === "message" || e.group === "operation") === important) continue;
      const at = Math.round(y(positions[e.from]));
      const spot = (at * laneNames.length + e.lane) * 8 + Object.keys(GROUPS).indexOf(e.group);
      if (drawn.has(spot)) continue;
      drawn.add(spot);
      pen.fillStyle = colourOf(e);
      pen.globalAlpha = important ? 1 : 0.35;
      pen.fillRect(e.lane * lane + 1, at, lane - 2, important ? 2 : 1);
    }
  }
  pen.globalAlpha = 1;
  if (trace.failure) {
    pen.fillStyle = colours.bad;
    pen.fillRect(0, y(failurePosition()) - 1.5, width, 3);
  }
  return picture;
}

function line(pen, x1, y1, x2, y2) {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}
