// Walks the console of `bavn demo` as people would, and says what is wrong with it.
//
// node main.mjs ADDRESS CHROMIUM NODE_MODULES TRUTH [--full] [--screenshots FOLDER]
//
// Every page that links reach, for each role that the demo offers: axe (WCAG 2.0 to 2.2, A and AA, and best
// practice), no sideways scroll at 320 px, weight and requests; in both languages, light and dark, at 320 and
// 1280 px (`--full`; else each pair of these). Then what people come for, by keys alone, against the bars.
import { browser, faults } from './browser.mjs';
import { crowd } from './crowd.mjs';
import { bars, notice, report, triage } from './flows.mjs';
import { measured, PAGE_GZIP_BYTES_MAX, REQUESTS_MAX, SCRIPT_BYTES_MAX, walkAfterwards, walkPages } from './pages.mjs';

await walkPages();
await crowd();
await triage();
const number = await notice();
await report();
await walkAfterwards(number);
await browser.close();

const row = (name, value, bar, holds) =>
  console.log(`${name.padEnd(46)} ${String(value).padStart(8)}  ${bar.padEnd(9)} ${holds ? 'ok' : 'MISSED'}`);
const most = (name, value, bar) => row(name, value, `<= ${bar}`, value <= bar);
console.log();
for (const [name, value, bar, holds] of bars) row(name, value, bar, holds);
row('kinds of page', measured.kinds, '', true);
row('views of them', measured.views, '', true);
const waits = measured.waits.sort((a, b) => a - b);
// Of the demonstration's small store and the build at hand: told, and no fault.
most('server time of a page, p99, ms', Math.round(waits[Math.floor(0.99 * waits.length)]), 50);
most('violations that axe finds', measured.violations, 0);
most('views that scroll sideways at 320 px', measured.sideways, 0);
most('heaviest page in gzip, bytes', measured.gzip, PAGE_GZIP_BYTES_MAX);
most('requests of a page', measured.requests, REQUESTS_MAX);
most('script, bytes', measured.script, SCRIPT_BYTES_MAX);
most('requests to other hosts', measured.elsewhere, 0);
most('faults', faults.length, 0);
process.exit(faults.length === 0 ? 0 : 1);
