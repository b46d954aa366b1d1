// Every page that links reach, as each role: axe, reflow, weight, requests.
import { gzipSync } from 'node:zlib';
import { at, become, fault, full, home, moves, opened, stolen, violations } from './browser.mjs';

const PAGES_MAX = 80;
const KINDS_MIN = 12;
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
export const PAGE_GZIP_BYTES_MAX = 60 * 1024;
export const SCRIPT_BYTES_MAX = 6 * 1024;
export const REQUESTS_MAX = 4;

// Language, colours and width: all of them, or so that each pair of choices is met.
const all = ['en', 'nb'].flatMap((language) => ['light', 'dark'].flatMap((scheme) =>
  [1280, 320].map((width) => [language, scheme, width])));
const pairs = [['en', 'light', 1280], ['en', 'dark', 320], ['nb', 'light', 320], ['nb', 'dark', 1280]];
const VIEWS = full ? all : pairs;

export const measured = { kinds: 0, views: 0, violations: 0, sideways: 0, gzip: 0, requests: 0, script: 0, elsewhere: 0, waits: [] };

const stem = (link) => {
  const url = new URL(link, home);
  url.searchParams.delete('lang');
  url.hash = '';
  return url.pathname + url.search;
};

async function links(page) {
  const found = await page.$$eval('a[href]', (every) => every.map((one) => one.getAttribute('href')));
  return found.map(stem).filter((link) => !/\.(json|csv)$|\/paper$/.test(link));
}

async function check(page, asked, role, link) {
  let held = null;
  for (const [language, scheme, width] of VIEWS) {
    const where = `${role} ${link} ${language} ${scheme} ${width} px`;
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    if (held !== language) {
      held = language;
      asked.length = 0;
      const response = await page.goto(at(link, language));
      if (response.status() !== 200) { fault(`${where}: status ${response.status()}`); return; }
      weigh(await response.body(), asked, where);
      measured.waits.push(await page.evaluate(() => {
        const [shown] = performance.getEntriesByType('navigation');
        return shown.responseStart - shown.requestStart;
      }));
      const said = await page.getAttribute('html', 'lang');
      if (said !== language) fault(`${where}: says it is in ${said}`);
    }
    for (const found of await violations(page, TAGS)) { measured.violations += 1; fault(`${where}: ${found}`); }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (width === 320 && wide > 0) { measured.sideways += 1; fault(`${where}: ${wide} px of sideways scroll (${await widest(page)})`); }
    measured.views += 1;
  }
}

function weigh(body, asked, where) {
  const bytes = gzipSync(body).length;
  // The line on which changes are told is held open, and no part of the page.
  const sent = asked.filter((url) => !url.startsWith('data:') && !url.endsWith('/live'));
  const foreign = sent.filter((url) => new URL(url).host !== home.host).length;
  measured.gzip = Math.max(measured.gzip, bytes);
  measured.requests = Math.max(measured.requests, sent.length);
  measured.elsewhere += foreign;
  if (bytes > PAGE_GZIP_BYTES_MAX) fault(`${where}: ${bytes} bytes in gzip`);
  if (sent.length > REQUESTS_MAX) fault(`${where}: ${sent.length} requests`);
  if (foreign > 0) fault(`${where}: asks another host`);
}

// What sticks out, for who has to mend it.
async function widest(page) {
  return page.evaluate(() => [...document.querySelectorAll('body *')]
    .filter((one) => one.getBoundingClientRect().right > innerWidth && !one.closest('.scroll'))
    .map((one) => `${one.tagName.toLowerCase()}.${one.className}#${one.id}`).slice(0, 4).join(' '));
}

async function roles(page) {
  await page.goto(at('/me'));
  return page.$$eval('form[action="/role"] option', (found) => found.map((one) => one.value));
}

// The first page, and whatever it leads to; a role that may not see it starts from what it may see.
export async function walkPages() {
  const { page, asked, context } = await opened();
  const script = await (await page.goto(new URL('/live.js', home).href)).body();
  measured.script = script.length;
  if (script.length > SCRIPT_BYTES_MAX) fault(`the script has ${script.length} bytes`);
  await page.goto(at('/me'));
  await page.evaluate(() => document.documentElement.removeAttribute('lang'));
  if (!(await violations(page, TAGS)).length) fault('axe finds nothing where there is something');
  const seen = new Set();
  for (const role of await roles(page)) {
    await become(page, role);
    const first = await page.goto(at('/'));
    const waiting = [...(first.status() === 200 ? ['/'] : []), '/me', ...await links(page)];
    if (first.status() !== 200) await refusal(page, role, first.status());
    while (waiting.length > 0 && seen.size < PAGES_MAX) {
      const link = waiting.shift();
      // What one role has seen as another would is looked at once; each role's frame is its own page.
      const kind = `${link === '/me' ? role : ''}${link.replace(/\d+/g, 'N').replace(/[0-9a-fN]{16,}/g, 'H')}`;
      if (seen.has(kind) || (link === '/' && first.status() !== 200)) continue;
      seen.add(kind);
      await check(page, asked, role, link);
      waiting.push(...await links(page));
    }
  }
  measured.kinds = seen.size;
  if (seen.size < KINDS_MIN) fault(`only ${seen.size} kinds of page were reached`);
  await context.close();
}

// Pages that only a form leads to, and those that look different once a notice has been signed.
export async function walkAfterwards(number) {
  const { page, asked, context } = await opened();
  const [thief, patient] = stolen()[0];
  await become(page, 'incident-lead');
  await page.goto(at('/hunt'));
  await page.fill('#list', `${thief}\nnobody-of-this-name`);
  await moves(page, () => page.click('form[action="/hunt"] button'));
  await check(page, asked, 'incident-lead', stem(page.url()));
  await become(page, 'privacy-officer');
  await page.goto(at('/patient'));
  await page.fill('#patient', patient);
  await moves(page, () => page.click('form[action="/patient"] button'));
  const handle = stem(page.url());
  const cases = ['', '/notice', '/notice/gdpr-33', '/patients'].map((page) => `/case/${number}${page}`);
  for (const link of [handle, `${handle}/report`, '/', ...cases, '/settings']) {
    await check(page, asked, 'privacy-officer', link);
  }
  await context.close();
}

// A page that is not for this role says so, and is as readable as any other.
async function refusal(page, role, status) {
  if (status !== 403) fault(`${role} /: status ${status}`);
  for (const found of await violations(page, TAGS)) { measured.violations += 1; fault(`${role} / refused: ${found}`); }
}
