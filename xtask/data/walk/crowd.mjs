// Ten thousand findings while somebody stands on a row: the list stays under the cursor, and none is lost.
import http from 'node:http';
import { become, fault, full, home, opened } from './browser.mjs';
import { bars } from './flows.mjs';

const FINDINGS = 10_000;
const SHOWN_MAX = 200;
const SECS = full ? 60 : 12;

// The demo's own pages and script, on whose first page findings come in as a server would show them.
async function crowded() {
  let raised = 0;
  let asked = 0;
  const lines = new Set();
  const server = http.createServer((request, response) => {
    const headers = { ...request.headers, host: home.host, 'accept-encoding': 'identity' };
    if (request.url === '/live') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${raised}\n\n`);
      lines.add(response);
      request.on('close', () => lines.delete(response));
      return;
    }
    const onward = http.request(new URL(request.url, home), { method: request.method, headers }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => {
        const isQueue = new URL(request.url, home).pathname === '/' && answer.statusCode === 200;
        asked += isQueue ? 1 : 0;
        const body = Buffer.concat(parts);
        const sent = isQueue ? Buffer.from(withFindings(body.toString(), raised)) : body;
        const { 'content-length': _, 'transfer-encoding': __, ...kept } = answer.headers;
        response.writeHead(answer.statusCode, { ...kept, 'content-length': sent.length });
        response.end(sent);
      });
    });
    request.pipe(onward);
  });
  await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
  const raise = (count) => {
    for (let step = 0; step < count; step += 1) {
      raised += 1;
      for (const line of lines) line.write(`data: ${raised}\n\n`);
    }
  };
  const link = new URL(`http://127.0.0.1:${server.address().port}/?lang=en`).href;
  return { link, raise, asked: () => asked, close: () => { server.closeAllConnections(); server.close(); } };
}

// The newest findings stand before the rows of the page, and the page shows so many rows at most.
function withFindings(page, raised) {
  const [before, list, ...rest] = page.split(/(?<=<tbody>)|(?=<\/tbody>)/);
  const rows = list.split(/(?=<tr>)/);
  const finding = (number) => rows[0].replace(/href="[^"]*"/, `href="/case/${1_000 + number}"`);
  const first = Math.max(0, raised - SHOWN_MAX);
  const found = Array.from({ length: raised - first }, (_, place) => finding(raised - place));
  const total = (text, count) => Number(count) + raised;
  return [before, [...found, ...rows].slice(0, SHOWN_MAX).join(''), ...rest].join('')
    .replace(/(?<=data-total=")(\d+)/, total);
}

export async function crowd() {
  const { context, page } = await opened();
  await become(page, 'privacy-officer');
  const list = await crowded();
  await page.goto(list.link);
  list.raise(3);
  await page.waitForFunction(() => document.querySelectorAll('[data-row]').length > 3);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  const stands = () => page.evaluate(() => {
    const row = document.activeElement;
    return [row.getAttribute('href'), Math.round(row.getBoundingClientRect().top), scrollY].join(' at ');
  });
  const place = await stands();
  const asked = list.asked();
  const until = (tenth) => Math.round(FINDINGS * tenth / (SECS * 10));
  for (let tenth = 0; tenth < SECS * 10; tenth += 1) {
    list.raise(until(tenth + 1) - until(tenth));
    await page.waitForTimeout(100);
    const now = await stands();
    if (now !== place) { fault(`the row under the cursor went from ${place} to ${now}`); break; }
  }
  const told = `${FINDINGS.toLocaleString('en')} new: show`;
  const heard = await page.waitForFunction((words) =>
    document.querySelector('[data-news]').textContent === words, told, { timeout: 15_000 }).catch(() => null);
  if (!heard) fault(`of ${told}, the page says: ${await page.textContent('[data-news]')}`);
  if (await stands() !== place) fault(`the row under the cursor is at ${await stands()}, not ${place}`);
  const asks = list.asked() - asked;
  if (asks > SECS / 5 + 4) fault(`the page was asked for ${asks} times in ${SECS} s`);
  await page.click('[data-news] button');
  await page.waitForFunction((rows) => document.querySelectorAll('[data-row]').length === rows, SHOWN_MAX);
  if (!(await stands()).startsWith(`/case/${1_000 + FINDINGS + 3} `)) fault(`the newest is not first: ${await stands()}`);
  bars.push([`findings told of ${FINDINGS} in ${SECS} s, row unmoved`, heard ? FINDINGS : 0, `>= ${FINDINGS}`, heard !== null]);
  await context.close();
  list.close();
}
