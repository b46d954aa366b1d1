// Walks the console of `bavn demo` as a person would, and says what is wrong with it.
//
// node walk.mjs ADDRESS CHROMIUM NODE_MODULES [--screenshots FOLDER]
//
// Every page that links reach, for each role that the demo offers: axe (WCAG 2.0 to 2.2, A and AA, and best
// practice) in both languages, light and dark, at 320 and 1280 px; no sideways scroll at 320 px; no request that
// leaves the machine, at most four of a page, and no more bytes than a page may weigh.
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import path from 'node:path';

const [address, chromium, modules, ...rest] = process.argv.slice(2);
const require = createRequire(path.join(modules, 'walk.cjs'));
const { chromium: browserType } = require('playwright-core');
const axe = require('axe-core').source;
const folder = rest[0] === '--screenshots' ? rest[1] : null;

const PAGE_GZIP_BYTES_MAX = 60 * 1024;
const SCRIPT_BYTES_MAX = 6 * 1024;
const REQUESTS_MAX = 4;
const PAGES_MAX = 60;
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const WIDTHS = [1280, 320];

const faults = [];
const fault = (what) => { faults.push(what); console.log(`fault: ${what}`); };
let checked = 0;

const browser = await browserType.launch({
  executablePath: chromium,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

const home = new URL(address);
const stem = (link) => {
  const url = new URL(link, home);
  url.searchParams.delete('lang');
  url.hash = '';
  return url.pathname + url.search;
};

// A page in a context of its own, that counts what it asks for.
async function opened(script = true) {
  const context = await browser.newContext({ javaScriptEnabled: script });
  const page = await context.newPage();
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('pageerror', (error) => fault(`script error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('404')) fault(`console: ${message.text()}`);
  });
  return { context, page, asked };
}

// axe needs to be in the page; the pages' own policy lets nothing in, so it is put there by the debugger.
async function violations(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe });
  const call = `axe.run(document, ${JSON.stringify({ runOnly: { type: 'tag', values: TAGS } })})
    .then((found) => JSON.stringify(found.violations.map((one) => one.id + ' ' + one.nodes[0].target)))`;
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    expression: call, awaitPromise: true, returnByValue: true,
  });
  await session.detach();
  if (exceptionDetails) throw new Error(exceptionDetails.text);
  return JSON.parse(result.value);
}

async function roles(page) {
  await page.goto(address);
  return page.$$eval('form[action="/role"] option', (found) => found.map((one) => one.value));
}

async function become(page, role) {
  await page.goto(new URL('/me', home).href);
  await page.selectOption('form[action="/role"] select', role);
  await Promise.all([page.waitForNavigation(), page.click('form[action="/role"] button')]);
}

async function links(page) {
  const found = await page.$$eval('a[href]', (all) => all.map((one) => one.getAttribute('href')));
  return found.map(stem).filter((link) => link.startsWith('/') && !/^\/(enter|leave)|\.(json|csv|pdf)$/.test(link));
}

async function check(page, asked, name, link) {
  for (const language of ['en', 'nb']) {
    for (const scheme of ['light', 'dark']) {
      for (const width of WIDTHS) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: 900 });
        asked.length = 0;
        const response = await page.goto(new URL(`${link}${link.includes('?') ? '&' : '?'}lang=${language}`, home).href);
        const where = `${name} ${link} ${language} ${scheme} ${width} px`;
        if (response.status() !== 200) { fault(`${where}: status ${response.status()}`); continue; }
        const body = await response.body();
        if (gzipSync(body).length > PAGE_GZIP_BYTES_MAX) fault(`${where}: ${gzipSync(body).length} bytes in gzip`);
        const sent = asked.filter((url) => !url.startsWith('data:') && !url.endsWith('/live'));
        if (sent.length > REQUESTS_MAX) fault(`${where}: ${sent.length} requests`);
        if (sent.some((url) => new URL(url).host !== home.host)) fault(`${where}: asks another host`);
        for (const found of await violations(page)) fault(`${where}: ${found}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (width === 320 && wide > 0) fault(`${where}: ${wide} px of sideways scroll`);
        const lang = await page.getAttribute('html', 'lang');
        if (lang !== language) fault(`${where}: says it is in ${lang}`);
        checked += 1;
      }
    }
  }
}

// An alarm is looked at and put down by keys alone, and as well where no script runs.
async function triage() {
  const { context, page } = await opened();
  await become(page, 'privacy-officer');
  const keys = ['j', 'Enter', 'x', 'Enter'];
  for (const key of keys) {
    const goes = key === 'Enter' ? page.waitForNavigation() : null;
    await page.keyboard.press(key);
    await goes;
  }
  const url = new URL(page.url());
  if (!/^\/case\/\d+$/.test(url.pathname)) fault(`triage by keys ends at ${url.pathname}`);
  const acts = await page.textContent('main');
  if (!/harmless/i.test(acts)) fault('triage by keys: no verdict stands on the case');
  await context.close();

  const plain = await opened(false);
  await become(plain.page, 'privacy-officer');
  await Promise.all([plain.page.waitForNavigation(), plain.page.click('main a[href*="/case/"]')]);
  const undo = await plain.page.$('form[action$="/undo"] button');
  if (!undo) fault('triage without a script: nothing to undo after the verdict');
  else {
    await Promise.all([plain.page.waitForNavigation(), undo.click()]);
    if (!await plain.page.$('form[action$="/decide"] button')) fault('triage without a script: the case is not open again');
  }
  await plain.context.close();
}

// The pictures that the docs show.
async function shoot() {
  if (!folder) return;
  const { context, page } = await opened();
  await page.setViewportSize({ width: 1280, height: 900 });
  await become(page, 'incident-lead');
  for (const link of [...new Set(['/', ...await links(page)])]) {
    const name = link.replace(/^\//, '').replace(/\W+/g, '-') || 'queue';
    await page.goto(new URL(link, home).href);
    await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
  }
  await context.close();
}

const { page, asked, context } = await opened();
const script = await (await page.goto(new URL('/live.js', home).href)).body();
if (script.length > SCRIPT_BYTES_MAX) fault(`the script has ${script.length} bytes`);

const seen = new Set();
for (const role of await roles(page)) {
  await become(page, role);
  const waiting = [...new Set(['/', ...await links(page)])];
  while (waiting.length > 0 && seen.size < PAGES_MAX) {
    const link = waiting.shift();
    const kind = link.replace(/\d+/g, 'N').replace(/[0-9a-f]{16,}/g, 'H');
    if (seen.has(kind)) continue;
    seen.add(kind);
    await check(page, asked, role, link);
    waiting.push(...await links(page));
  }
}
if (seen.size < 8) fault(`only ${seen.size} kinds of page were reached`);
await context.close();

await triage();
await shoot();

await browser.close();
console.log(`${seen.size} kinds of page, ${checked} views, ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
