// Keeps an open page fresh, and gives keys. Everything works without it.
'use strict';
const main = document.querySelector('main');
// Only a page that is not itself put on record has this place, and is asked for again.
const news = document.querySelector('[data-news]');
const rows = (root) => [...root.querySelectorAll('[data-row]')];
const where = (row) => row.getAttribute('href');
// All that waits; a page shows the first of them.
const total = (root) => Number(root.querySelector('[data-total]')?.dataset.total || 0);
// A list that somebody has touched stays under the cursor: what is new waits behind a button.
let touched = false;
for (const kind of ['pointermove', 'pointerdown', 'keydown', 'focusin', 'wheel', 'touchstart']) {
  document.addEventListener(kind, () => { touched = true; }, { passive: true });
}

async function fetched() {
  const answer = await fetch(location.href);
  if (!answer.ok) return null;
  return new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('main');
}

function show(fresh) {
  const open = [...main.querySelectorAll('details')].map((one) => one.open);
  const held = document.activeElement && document.activeElement.getAttribute('href');
  const parts = [...fresh.childNodes].filter((part) => !(part.matches && part.matches('[data-news]')));
  [...main.childNodes].forEach((part) => { if (part !== news) part.remove(); });
  main.append(...parts);
  main.querySelectorAll('details').forEach((one, index) => { one.open = open[index] || false; });
  if (held) rows(main).find((row) => where(row) === held)?.focus();
  news.replaceChildren();
}

// Counts of rows that are there are renewed where they stand; nothing moves.
function renew(fresh) {
  const now = new Map(rows(fresh).map((row) => [where(row), row.closest('tr')]));
  for (const row of rows(main)) {
    const held = row.closest('tr');
    const next = now.get(where(row));
    if (!next) continue;
    [...held.cells].forEach((cell, index) => {
      if (!cell.contains(document.activeElement) && cell.innerHTML !== next.cells[index]?.innerHTML && !cell.querySelector('[data-row]')) {
        cell.innerHTML = next.cells[index].innerHTML;
      }
    });
  }
}

async function showAll() {
  const fresh = await fetched();
  if (fresh) show(fresh);
  rows(main)[0]?.focus();
}

// The button stays the same one, since somebody may be on it.
function tell(count) {
  let button = news.querySelector('button');
  if (!button) {
    button = document.createElement('button');
    button.type = 'button';
    button.addEventListener('click', showAll);
    news.append(button);
  }
  button.textContent = `${count.toLocaleString(document.documentElement.lang)} ${news.dataset.news}`;
}

let told = -1;
let waiting = false;
let again = false;
async function look() {
  if (waiting) { again = true; return; }
  waiting = true;
  try {
    const fresh = await fetched();
    if (fresh && !document.activeElement?.closest('form')) {
      const known = new Set(rows(main).map(where));
      const seen = rows(fresh).filter((row) => !known.has(where(row))).length;
      const count = Math.max(seen, total(fresh) - total(main));
      if (!touched || !known.size) show(fresh);
      else {
        renew(fresh);
        if (count && count !== told) tell(count);
        told = count;
      }
    }
  } catch {
    // The server is gone; the next change, if any, will tell.
  }
  // At most one message in five seconds for who listens to the page.
  setTimeout(() => { waiting = false; if (again) { again = false; look(); } }, touched ? 5000 : 500);
}
// The first message may tell of nothing that the page does not show.
let heard = false;
if (news) {
  new EventSource('/live').onmessage = (event) => {
    if (heard || event.data !== news.dataset.seen) look();
    heard = true;
  };
}

// Single keys: j and k move in the list, the others go to what bears them; Enter then does it.
const toggle = document.querySelector('[data-keys]');
let keys = localStorage.getItem('keys') !== 'off';
function label() {
  if (!toggle) return;
  toggle.hidden = false;
  toggle.textContent = keys ? toggle.dataset.off : toggle.dataset.on;
}
toggle?.addEventListener('click', () => {
  keys = !keys;
  localStorage.setItem('keys', keys ? 'on' : 'off');
  label();
});
label();
document.addEventListener('keydown', (event) => {
  const typing = event.target.matches('input, textarea, select');
  if (!keys || typing || event.ctrlKey || event.altKey || event.metaKey) return;
  const list = rows(document);
  const at = list.indexOf(document.activeElement);
  if (event.key === 'j') list[Math.min(at + 1, list.length - 1)]?.focus();
  else if (event.key === 'k') list[Math.max(at - 1, 0)]?.focus();
  else {
    const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!target) return;
    target.focus();
  }
  event.preventDefault();
});
