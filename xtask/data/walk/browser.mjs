// A browser, the roles of the demonstration, and the keys that somebody presses.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const argument = (name) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? null : process.argv[at + 1];
};

const [address, chromium, modules, truth] = process.argv.slice(2);
export const home = new URL(address);
const pictures = argument('--screenshots');
export const full = process.argv.includes('--full');

const require = createRequire(path.join(modules, 'walk.cjs'));
const { chromium: browserType } = require('playwright-core');
const axe = require('axe-core').source;

export const browser = await browserType.launch({
  executablePath: chromium,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

export const faults = [];
export const fault = (what) => { faults.push(what); console.log(`fault: ${what}`); };

// Each record that the thief of the region reads: who, whose, when.
export const stolen = () => JSON.parse(readFileSync(truth)).truth
  .filter((theft) => theft.kind === 'attack').flatMap((theft) => theft.reads);

export const at = (link, language = 'en') => {
  const url = new URL(link, home);
  url.searchParams.set('lang', language);
  return url.href;
};

// A page in a context of its own, that counts what it asks for.
export async function opened({ script = true, width = 1280 } = {}) {
  const context = await browser.newContext({
    javaScriptEnabled: script, viewport: { width, height: 900 }, locale: 'en-GB',
  });
  const page = await context.newPage();
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('pageerror', (error) => fault(`script error: ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    // A page that a role may not see answers 403, as it should.
    if (message.type() === 'error' && !/status of 40[34]/.test(text)) fault(`console: ${text}`);
  });
  return { context, page, asked };
}

export async function become(page, role) {
  await page.goto(at('/me'));
  await page.selectOption('form[action="/role"] select', role);
  await moves(page, () => page.click('form[action="/role"] button'));
}

// What the docs show: the page as it stands, always of the same size.
export async function picture(page, name) {
  if (!pictures) return;
  const size = page.viewportSize();
  await page.setViewportSize({ width: 1000, height: 750 });
  await page.evaluate(() => { scrollTo(0, 0); document.activeElement?.blur(); });
  await page.screenshot({ path: path.join(pictures, `${name}.png`) });
  await page.setViewportSize(size);
}

// Does something that leads to another page, and waits until it is there.
export async function moves(page, act) {
  await Promise.all([page.waitForNavigation(), act()]);
}

// axe needs to be in the page; the pages' own policy lets nothing in, so it is put there by the debugger.
export async function violations(page, tags) {
  const session = await page.context().newCDPSession(page);
  const evaluated = async (expression) => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      expression, awaitPromise: true, returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.text);
    return result.value;
  };
  if (await evaluated('typeof axe') === 'undefined') await evaluated(`${axe};0`);
  const found = await evaluated(`axe.run(document, ${JSON.stringify({
    runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'],
  })}).then((found) => JSON.stringify(found.violations.map((one) => one.id + ' ' + one.nodes[0].target)))`);
  await session.detach();
  return JSON.parse(found);
}

// Somebody at a keyboard, whose keys and pages are counted. A chord is two keys; typed text is not counted.
export class Person {
  constructor(page) {
    this.page = page;
    this.keys = 0;
    this.pages = new Set();
    page.on('framenavigated', (frame) => {
      if (frame === page.mainFrame()) this.pages.add(new URL(page.url()).pathname);
    });
  }

  // Comes to a page as one who just logged in: not counted as a key.
  async comes(link) {
    await this.page.goto(at(link));
    this.pages.clear();
    this.pages.add(new URL(this.page.url()).pathname);
    this.keys = 0;
  }

  async press(...keys) {
    for (const key of keys) {
      if (key.startsWith('Alt+')) await this.chord(key.slice(4));
      else await this.page.keyboard.press(key);
      this.keys += key.startsWith('Alt+') ? 2 : 1;
    }
  }

  // The letter must arrive as one, or the browser takes it for no access key.
  async chord(letter) {
    const session = await this.page.context().newCDPSession(this.page);
    const code = letter.toUpperCase();
    const key = { modifiers: 1, key: letter, code: `Key${code}`, windowsVirtualKeyCode: code.charCodeAt(0) };
    await session.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...key });
    await session.send('Input.dispatchKeyEvent', { type: 'char', text: letter, unmodifiedText: letter, ...key });
    await session.detach().catch(() => null);
  }

  // The last of these keys leads to another page.
  async goes(...keys) {
    await this.press(...keys.slice(0, -1));
    await moves(this.page, () => this.press(keys.at(-1)));
  }

  async types(text) {
    await this.page.keyboard.type(text);
  }

  path() {
    return new URL(this.page.url()).pathname;
  }
}
