'use strict';
// Shows /page.json and /history.json, and asks for them again while somebody looks. File names and servers' words are text:
// they are set by textContent, and the policy of the page lets no string become markup.

const $ = id => document.getElementById(id);
const number = new Intl.NumberFormat('en');
const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hour12: false });
const moment = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hour12: false });

// MARK: Building

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function make(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

function draw(tag, attributes, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// Names are in a bdi, so that one which is written from right to left leaves what follows it alone.
function name(text) {
  return make('bdi', '', text);
}

// Keeps one element for each item, so that focus, selection and what a screen reader has in hand stay where they are.
function list(parent, items, key, create, update) {
  const had = new Map([...parent.children].map(node => [node.dataset.key, node]));
  let before = null;
  for (const item of items) {
    const id = String(key(item));
    let node = had.get(id);
    if (node) had.delete(id);
    else {
      node = create(item);
      node.dataset.key = id;
    }
    update(node, item);
    const place = before ? before.nextSibling : parent.firstChild;
    if (node !== place) parent.insertBefore(node, place);
    before = node;
  }
  for (const node of had.values()) node.remove();
}

function badge(node, shape, kind, word) {
  if (node.dataset.is === shape + kind + word) return;
  node.dataset.is = shape + kind + word;
  node.className = 'badge ' + kind;
  const use = draw('use', { href: '#i-' + shape });
  node.replaceChildren(draw('svg', { 'aria-hidden': 'true' }, use), document.createTextNode(word));
}

// MARK: Words

const plural = (count, one, many) => number.format(count) + ' ' + (count === 1 ? one : many);
const words = text => text.replaceAll('_', ' ');

function short(value) {
  if (value < 0.05) return '0';
  if (value < 10) return String(Math.round(value * 10) / 10);
  return number.format(Math.round(value));
}

function bytes(value) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) { value /= 1000; unit += 1; }
  return (unit === 0 || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10) + ' ' + units[unit];
}

function span(seconds) {
  seconds = Math.max(0, Math.round(seconds));
  if (seconds < 60) return seconds + ' s';
  if (seconds < 3600) return Math.floor(seconds / 60) + ' min' + (seconds < 600 && seconds % 60 ? ' ' + seconds % 60 + ' s' : '');
  if (seconds < 86400) return Math.floor(seconds / 3600) + ' h ' + Math.floor(seconds % 3600 / 60) + ' min';
  return Math.floor(seconds / 86400) + ' d ' + Math.floor(seconds % 86400 / 3600) + ' h';
}

const since = (text, now) => (now - Date.parse(text)) / 1000;

function when(text, now) {
  const date = new Date(text);
  return Math.abs(now - date) < 43200000 ? clock.format(date) : moment.format(date);
}

// MARK: What the daemon is at

const STATES = {
  starting: ['wait', 'warn', 'Starting', 'It reads its ledger; that takes as long as there is work in hand.'],
  running: ['good', 'good', 'Running', ''],
  paused: ['pause', 'warn', 'Paused', 'Nothing is lost; it goes on as soon as this is mended. datarowctl doctor tells more.'],
  blocked: ['bad', 'bad', 'Blocked', 'Mend the key or the quota with Labelbox; no row fails for it, and it goes on by itself.'],
  degraded: ['warn', 'warn', 'Degraded', 'What can go on goes on. datarowctl doctor tells more.'],
  draining: ['off', 'warn', 'Stopping', 'It was told to stop; what is left goes on with the next start.'],
};

function showState(page) {
  const [shape, kind, word, advice] = STATES[page.state] ?? ['warn', 'warn', page.state, ''];
  badge($('state'), shape, kind, word);
  $('state').title = page.state_reason;
  const isWell = page.state === 'running' && !page.budget.paused_until;
  $('notice').hidden = isWell;
  $('notice').className = 'notice ' + (kind === 'bad' ? 'bad' : '');
  if (!isWell) {
    put($('notice-title'), page.state === 'running' ? 'A pause' : word);
    const reason = page.state_reason;
    put($('notice-reason'), reason.charAt(0).toUpperCase() + reason.slice(1) + (/[.!?]$/.test(reason) ? '' : '.'));
    put($('notice-advice'), page.budget.paused_until ? 'Labelbox asked for quiet until ' + new Date(page.budget.paused_until).toLocaleTimeString('en', { hour12: false }) + '.' : advice);
  }
}

function showGlance(page, now) {
  const oldest = page.watches.filter(watch => watch.oldest).sort((a, b) => Date.parse(a.oldest.since) - Date.parse(b.oldest.since))[0];
  put($('g-oldest'), oldest ? span(since(oldest.oldest.since, now)) : 'none');
  $('g-oldest-name').replaceChildren(...(oldest ? [name(oldest.oldest.path)] : []));
  const rows = page.watches.reduce((sum, watch) => sum + watch.rows.total - ended(watch.rows), 0);
  put($('g-moving'), number.format(page.moving_total));
  put($('g-moving-rows'), rows > 0 ? plural(rows, 'row to go', 'rows to go') : page.moving_total ? 'all rows are through' : 'no row is waiting');
  quantity($('g-budget'), number.format(page.budget.used), 'of ' + number.format(page.budget.limit));
  $('g-budget-bar').max = page.budget.limit;
  $('g-budget-bar').value = Math.min(page.budget.used, page.budget.limit);
  put($('g-bad'), number.format(page.failures_total));
  put($('g-bad-text'), page.failures_total ? (page.failures_total === 1 ? 'manifest, see below' : 'manifests, see below') : 'nothing failed');
  const done = page.watches.reduce((sum, watch) => sum + ended(watch.rows), 0);
  put($('g-rate-total'), plural(done, 'row in all', 'rows in all'));
}

const ended = rows => rows.rejected + rows.created + rows.updated + rows.already_present + rows.failed + rows.deleted;

function quantity(node, value, unit) {
  if (node.dataset.is === value + unit) return;
  node.dataset.is = value + unit;
  node.replaceChildren(document.createTextNode(value + ' '), make('span', 'unit', unit));
}

// MARK: Moving

const MOVES = { importing: ['moving', 'going', 'Importing'], queued: ['wait', '', 'Queued'], waiting_for_media: ['pause', 'warn', 'Waits for media'] };

function showMoving(page) {
  put($('moving-count'), page.moving_total ? number.format(page.moving_total) : '');
  $('empty').hidden = page.moving_total > 0;
  list($('moving'), page.moving, item => item.id, item => {
    const label = 'moving-' + item.id;
    const heading = make('h3', '', name(item.manifest), make('span', 'watch', ' in ' + item.watch));
    heading.id = label;
    const progress = make('progress');
    progress.max = 100;
    progress.setAttribute('aria-labelledby', label);
    return make('li', '', heading, make('span', 'badge'), make('div', 'bar', progress, make('span', 'percent')), make('p', 'figures'), make('p', 'reason'));
  }, (node, item) => {
    badge(node.querySelector('.badge'), ...(MOVES[item.state] ?? ['wait', '', words(item.state)]));
    const percent = Math.floor(item.progress * 1000) / 10;
    node.querySelector('.bar').hidden = item.state === 'waiting_for_media' && percent === 0;
    const bar = node.querySelector('progress');
    if (bar.value !== percent) bar.value = percent;
    put(node.querySelector('.percent'), percent.toFixed(percent < 10 ? 1 : 0) + ' %');
    put(node.querySelector('.reason'), item.state_reason);
    const figures = [];
    if (item.rows_total) figures.push(number.format(item.rows_ended) + ' of ' + plural(item.rows_total, 'row', 'rows'));
    if (item.media_bytes) figures.push(bytes(item.media_uploaded_bytes) + ' of ' + bytes(item.media_bytes) + ' uploaded');
    if (item.rows_bad) figures.push(plural(item.rows_bad, 'row refused', 'rows refused'));
    if (item.rows_per_second >= 0.05) figures.push(short(item.rows_per_second) + ' rows/s');
    if (item.bytes_per_second >= 1) figures.push(bytes(item.bytes_per_second) + '/s');
    const eta = item.eta_seconds === null ? '' : 'about ' + span(item.eta_seconds) + ' left';
    const line = node.querySelector('.figures');
    const text = figures.join('|') + '|' + eta;
    if (line.dataset.is !== text) {
      line.dataset.is = text;
      line.replaceChildren(...figures.map(figure => make('span', '', figure)), ...(eta ? [make('span', 'eta', eta)] : []));
    }
  });
  more('moving', page.moving_total - page.moving.length, 'manifest', 'manifests', 'datarowctl ls');
  if (page.moving_total === 0) {
    const hasHistory = page.watches.some(watch => watch.rows.total > 0);
    put($('empty-why'), hasHistory ? 'Everything that was dropped has ended.' : 'No file was dropped yet.');
    const quoted = text => /^[\w.\/-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\\''") + "'";
    commands($('empty-commands'), page.watches.slice(0, 3).map(watch => 'datarowctl drop FILE --watch ' + quoted(watch.name)));
  }
}

function more(what, count, one, many, command) {
  const node = $(what + '-more');
  node.hidden = count <= 0;
  if (count > 0) put(node, 'And ' + plural(count, 'more ' + one, 'more ' + many) + '; ' + command + ' lists them.');
}

function commands(parent, lines) {
  list(parent, lines, line => line, line => {
    const row = make('li', '', make('code', '', line));
    // Only a page that came over TLS or from this machine may write to the clipboard.
    if (navigator.clipboard) {
      const button = make('button', '', 'Copy');
      button.type = 'button';
      button.setAttribute('aria-label', 'Copy the command ' + line);
      button.addEventListener('click', async () => {
        try {
          await navigator.clipboard.writeText(line);
          put(button, 'Copied');
          announce('Copied.');
        } catch {
          put(button, 'Not copied');
        }
        setTimeout(() => put(button, 'Copy'), 2000);
      });
      row.append(button);
    }
    return row;
  }, () => {});
}

// MARK: The last hour

// Points of half a minute: of the ten-second slots the last one has only begun, so it is left out.
const GROUP = 3;

class Plot {
  constructor(id, title, unit, format) {
    Object.assign(this, { title, unit, format, points: [] });
    this.figure = $(id);
    this.now = make('span', 'now');
    this.peak = make('p', 'peak');
    this.svg = draw('svg', { viewBox: '0 0 238 100', preserveAspectRatio: 'none', role: 'img' });
    for (const y of [0, 50, 100]) this.svg.append(draw('line', { class: 'grid', x1: 0, x2: 238, y1: y, y2: y }));
    this.area = draw('path', { class: 'area' });
    this.curve = draw('path', { class: 'curve' });
    this.limit = draw('line', { class: 'limit', x1: 0, x2: 238, y1: -9, y2: -9, visibility: 'hidden' });
    this.cursor = draw('line', { class: 'cursor', y1: 0, y2: 100, x1: -9, x2: -9, visibility: 'hidden' });
    this.svg.append(this.area, this.curve, this.limit, this.cursor);
    const ticks = make('div', 'ticks', ...['60 min ago', '45', '30', '15', 'now'].map(text => make('span', '', text)));
    ticks.setAttribute('aria-hidden', 'true');
    this.figure.append(make('figcaption', '', make('span', 'what', title), this.now), this.peak, this.svg, ticks);
    this.svg.addEventListener('pointermove', event => this.point(event));
    this.svg.addEventListener('pointerleave', () => this.summary());
  }

  show(points, now, limit) {
    this.points = points;
    this.highest = Math.max(...points);
    this.top = nice(Math.max(this.highest, limit ? limit * 1.02 : 0, 1e-9));
    const step = 238 / (points.length - 1);
    const y = value => (100 - value / this.top * 100).toFixed(2);
    const path = points.map((value, index) => (index ? 'L' : 'M') + (index * step).toFixed(2) + ' ' + y(value)).join('');
    this.curve.setAttribute('d', path);
    this.area.setAttribute('d', path + 'L238 100L0 100Z');
    if (limit) {
      this.limit.setAttribute('visibility', 'visible');
      this.limit.setAttribute('y1', y(limit));
      this.limit.setAttribute('y2', y(limit));
    }
    put(this.now, this.format(now) + this.unit);
    this.limited = limit;
    if (this.cursor.getAttribute('visibility') === 'hidden') this.summary();
    const peak = this.highest > 0 ? 'at most ' + this.format(this.highest) + this.unit : 'nothing';
    this.svg.setAttribute('aria-label', this.title + ' over the last hour: ' + peak + ', now ' + this.format(now) + this.unit + (limit ? ', limit ' + number.format(limit) : ''));
  }

  summary() {
    this.cursor.setAttribute('visibility', 'hidden');
    put(this.peak, (this.highest > 0 ? 'Peak ' + this.format(this.highest) + this.unit : 'Nothing in the last hour') + (this.limited ? ' · limit ' + number.format(this.limited) : ''));
  }

  point(event) {
    const box = this.svg.getBoundingClientRect();
    const last = this.points.length - 1;
    const index = Math.max(0, Math.min(last, Math.round((event.clientX - box.left) / box.width * last)));
    if (!(index in this.points)) return;
    const x = index * 238 / last;
    this.cursor.setAttribute('x1', x);
    this.cursor.setAttribute('x2', x);
    this.cursor.setAttribute('visibility', 'visible');
    put(this.peak, this.format(this.points[index]) + this.unit + ' at ' + clock.format(Date.now() - (last - index) * 30000));
  }
}

function nice(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map(step => step * unit).find(step => step >= value) ?? value;
}

const plots = {
  rows: new Plot('plot-rows', 'Rows', '/s', short),
  bytes: new Plot('plot-bytes', 'Sent', '/s', bytes),
  requests: new Plot('plot-requests', 'Requests', ' a minute', value => number.format(Math.round(value))),
};

function showHistory(history, limit) {
  const grouped = values => {
    const full = values.slice(0, -1);
    const points = [];
    for (let start = full.length % GROUP; start < full.length; start += GROUP) {
      points.push(full.slice(start, start + GROUP).reduce((a, b) => a + b, 0));
    }
    return points;
  };
  const seconds = GROUP * history.slot_seconds;
  // The last minute: six slots, of the newest only what has passed.
  const lately = values => {
    const last = values.slice(-6);
    return last.reduce((a, b) => a + b, 0) / ((last.length - 1) * history.slot_seconds + Math.max(history.last_slot_seconds, 1));
  };
  plots.rows.show(grouped(history.rows).map(sum => sum / seconds), lately(history.rows));
  plots.bytes.show(grouped(history.bytes).map(sum => sum / seconds), lately(history.bytes));
  const requests = grouped(history.requests);
  plots.requests.show(requests.map((sum, index) => sum + (requests[index - 1] ?? 0)), lately(history.requests) * 60, limit);
  quantity($('g-rate'), short(lately(history.rows)), 'rows/s');
}

// MARK: Failures, watches, tasks

const ENDS = { failed: ['bad', 'bad', 'Failed'], rejected: ['bad', 'bad', 'Rejected'], complete_with_errors: ['warn', 'warn', 'Complete, with errors'] };

function showFailures(page, now) {
  put($('failures-count'), page.failures_total ? number.format(page.failures_total) : '');
  $('failures-none').hidden = page.failures_total > 0;
  list($('failures'), page.failures, item => item.id, item => {
    const node = make('li', item.state === 'complete_with_errors' ? 'some' : '');
    const mark = make('span', 'badge');
    badge(mark, ...(ENDS[item.state] ?? ['bad', 'bad', words(item.state)]));
    node.append(make('div', 'line', make('h3', '', name(item.manifest), make('span', 'watch', ' in ' + item.watch)), mark), make('p', 'reason'));
    if (item.errors.length) {
      const errors = make('ul', 'errors', ...item.errors.map(error => make('li', '', make('span', '', (error.row === null ? '' : 'Row ' + number.format(error.row) + ': ') + error.message + ' '), make('span', 'code', error.code))));
      if (item.errors_total > item.errors.length) errors.append(make('li', '', 'and ' + plural(item.errors_total - item.errors.length, 'more error', 'more errors')));
      node.append(errors);
    }
    if (item.commands.length) {
      const steps = make('ul', 'commands');
      commands(steps, item.commands);
      node.append(make('details', '', make('summary', '', 'How to mend it'), steps));
    }
    return node;
  }, (node, item) => put(node.querySelector('.reason'), (item.finished_at ? when(item.finished_at, now) + ': ' : '') + item.state_reason));
  more('failures', page.failures_total - page.failures.length, 'manifest', 'manifests', 'datarowctl ls');
}

function cells(node, values) {
  values.forEach((value, index) => {
    const cell = node.children[index + 1];
    put(cell, value);
    if (cell.classList.contains('n')) cell.classList.toggle('zero', value === '0');
  });
}

function row(labels, wide) {
  return labels.map(label => {
    const cell = make('td', label.startsWith('#') ? 'n' : label === wide ? 'wide' : '');
    cell.dataset.label = label.replace('#', '');
    return cell;
  });
}

const MODES = { watching: '', polling: ['wait', 'warn', 'Polling'], missing: ['bad', 'bad', 'Missing'] };

function showWatches(page, now) {
  list($('watches'), page.watches, item => item.name, item => {
    const head = make('th', '', item.name, ' ', make('span', 'badge'), make('span', 'sub path', name(item.path)), make('span', 'sub mode'));
    head.scope = 'row';
    return make('tr', '', head, ...row(['#Settling', '#Waiting', '#Moving', '#Done', '#Bad', '#Rows', 'Oldest unfinished'], 'Oldest unfinished'));
  }, (node, item) => {
    const states = item.imports;
    const mark = node.querySelector('.badge');
    mark.hidden = !MODES[item.mode];
    if (MODES[item.mode]) badge(mark, ...MODES[item.mode]);
    put(node.querySelector('.mode'), item.mode_reason ?? '');
    cells(node, [item.settling, states.waiting_for_media, states.queued + states.importing, states.complete, states.complete_with_errors + states.failed + states.rejected, ended(item.rows)].map(count => number.format(count)));
    const oldest = node.lastChild;
    const text = item.oldest ? span(since(item.oldest.since, now)) + item.oldest.path : '–';
    if (oldest.dataset.is !== text) {
      oldest.dataset.is = text;
      oldest.replaceChildren(...(item.oldest ? [span(since(item.oldest.since, now)), make('span', 'sub', name(item.oldest.path))] : ['–']));
    }
  });
}

function showTasks(page, now) {
  put($('tasks-count'), page.tasks_total ? number.format(page.tasks_total) : '');
  $('tasks-none').hidden = page.tasks.length > 0;
  $('tasks-region').hidden = page.tasks.length === 0;
  list($('tasks'), page.tasks, item => item.id, () => {
    const head = make('th', 'id');
    head.scope = 'row';
    return make('tr', '', head, ...row(['Status', '#Rows', '#Done', '#Age', 'Manifest'], 'Manifest'));
  }, (node, item) => {
    put(node.firstChild, item.task_id ?? 'not handed over yet');
    cells(node, [
      words(item.status || item.phase).toLowerCase(), number.format(item.rows), item.task_id ? Math.round(item.completion) + ' %' : '–',
      item.submitted_at ? span(since(item.submitted_at, now)) : '–',
    ]);
    const text = (item.manifest ?? '–') + item.manifests;
    if (node.lastChild.dataset.is !== text) {
      node.lastChild.dataset.is = text;
      node.lastChild.replaceChildren(name(item.manifest ?? '–'), item.manifests > 1 ? ' and ' + plural(item.manifests - 1, 'more', 'more') : '');
    }
  });
  more('tasks', page.tasks_total - page.tasks.length, 'task', 'tasks', 'datarowctl tasks --open');
}

function showSettling(page, now) {
  $('settling-section').hidden = page.settling_total === 0;
  put($('settling-count'), number.format(page.settling_total));
  list($('settling'), page.settling, item => item.watch + '/' + item.path, item => make('li', '', make('strong', '', name(item.path)), ' in ' + item.watch, make('span', 'sub')), (node, item) => {
    put(node.querySelector('.sub'), 'For ' + span(since(item.since, now)) + ': ' + item.reason);
  });
  more('settling', page.settling_total - page.settling.length, 'file', 'files', 'datarowctl ls');
}

// MARK: Telling and asking

// Said aloud by screen readers: what changes rarely and matters, never figures that move.
let said = {};
function announce(text) {
  put($('announcer'), text);
}

function tell(page) {
  const now = { state: page.state, bad: page.failures_total, moving: page.moving_total };
  const news = [];
  if (said.state && said.state !== now.state) news.push('datarowd is now ' + now.state + ': ' + page.state_reason + '.');
  if (now.bad > said.bad) news.push(plural(now.bad - said.bad, 'more manifest is', 'more manifests are') + ' to be mended.');
  if (said.moving > 0 && now.moving === 0) news.push('Everything that was moving has ended.');
  said = now;
  if (news.length) announce(news.join(' '));
}

let known = null;
let askedHistory = -Infinity;
let failures = 0;
let lastSeen = null;
let timer = null;

async function ask(path) {
  const answer = await fetch(path, { cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(10000) });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function look() {
  clearTimeout(timer);
  if (document.hidden) return;
  let pause = 2000;
  try {
    const page = await ask('/page.json');
    // Another version may speak another way.
    if (known && known.version !== page.version) return location.reload();
    const isBusy = page.moving_total > 0 || page.settling_total > 0;
    if (performance.now() - askedHistory > (isBusy ? 2500 : 9000)) {
      showHistory(await ask('/history.json'), page.budget.limit);
      askedHistory = performance.now();
    }
    const now = Date.parse(page.now);
    showState(page);
    showGlance(page, now);
    showMoving(page);
    showFailures(page, now);
    showWatches(page, now);
    showTasks(page, now);
    showSettling(page, now);
    put($('about'), 'datarowd ' + page.version + ', process ' + page.pid + ', up for ' + span(since(page.started_at, now)));
    document.title = (page.state === 'running' ? '' : (STATES[page.state]?.[2] ?? page.state) + ': ') + (page.moving_total ? page.moving_total + ' moving – ' : '') + 'datarowd';
    if (failures > 1) announce('datarowd answers again.');
    tell(page);
    known = page;
    failures = 0;
    lastSeen = new Date();
    reached(true);
    pause = isBusy ? 1000 : 1500;
  } catch (error) {
    failures += 1;
    // One lost answer is nothing; two in a row are told.
    if (failures > 1 || !known) reached(false);
    if (failures === 2) announce('datarowd cannot be reached.');
    pause = Math.min(1000 * 2 ** (failures - 1), 10000);
  }
  timer = setTimeout(look, pause);
}

function reached(isReached) {
  $('live').dataset.on = isReached ? 'yes' : 'no';
  document.body.classList.toggle('stale', !isReached);
  put($('live-text'), isReached ? 'Live' : 'Cannot be reached' + (lastSeen ? ' since ' + lastSeen.toLocaleTimeString('en', { hour12: false }) : '') + '; it is tried again');
  if (!isReached) badge($('state'), 'off', '', 'Unknown');
}

document.addEventListener('visibilitychange', look);
look();
