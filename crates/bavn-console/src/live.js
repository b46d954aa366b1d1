// Shows the queue as it changes. Without it, the page reloads itself.
'use strict';
const changes = new EventSource('/live');
let busy = false;
changes.onmessage = async () => {
  if (busy) return;
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
