// Shows the queue as it changes. Without it, the page reloads itself.
'use strict';
const changes = new EventSource('/live');
let busy = false;
changes.onmessage = async () => {
  if (busy || document.activeElement?.closest('form')) return;
  busy = true;
  try {
    const page = await (await fetch(location.href)).text();
    const fresh = new DOMParser().parseFromString(page, 'text/html').querySelector('main');
    const main = document.querySelector('main');
    const open = [...main.querySelectorAll('details')].map((one) => one.open);
    const held = document.activeElement && document.activeElement.getAttribute('href');
    main.replaceChildren(...fresh.childNodes);
    main.querySelectorAll('details').forEach((one, index) => { one.open = open[index] || false; });
    if (held) [...main.querySelectorAll('a')].find((one) => one.getAttribute('href') === held)?.focus();
  } catch {
    // The server is gone; the next change, if any, will tell.
  }
  setTimeout(() => { busy = false; }, 400);
};

// Single keys: j and k move in the list, the others go to what bears them; Enter then does it.
document.addEventListener('keydown', (event) => {
  const typing = event.target.matches('input, textarea, select');
  if (typing || event.ctrlKey || event.altKey || event.metaKey) return;
  const rows = [...document.querySelectorAll('[data-row]')];
  const at = rows.indexOf(document.activeElement);
  if (event.key === 'j') rows[Math.min(at + 1, rows.length - 1)]?.focus();
  else if (event.key === 'k') rows[Math.max(at - 1, 0)]?.focus();
  else {
    const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!target) return;
    target.focus();
  }
  event.preventDefault();
});
