// The three things that people come for, done by keys alone, and counted.
import { at, become, fault, moves, opened, Person, picture, stolen } from './browser.mjs';

export const bars = [];

const within = (name, value, bar) => {
  bars.push([name, value, `<= ${bar}`, value <= bar]);
  if (value > bar) fault(`${name}: ${value}, the bar is ${bar}`);
};
const atLeast = (name, value, bar) => {
  bars.push([name, value, `>= ${bar}`, value >= bar]);
  if (value < bar) fault(`${name}: ${value}, the bar is ${bar}`);
};

// An alarm is looked at and put down.
export async function triage() {
  for (const script of [true, false]) {
    const name = `triage, script ${script ? 'on' : 'off'}`;
    const { context, page } = await opened({ script });
    await become(page, 'privacy-officer');
    const person = new Person(page);
    await person.comes('/');
    if (script) {
      await person.goes('j', 'Enter');
      await person.goes('e', 'Enter');
    } else {
      await person.goes('Alt+j');
      await person.goes('Alt+e');
    }
    if (!/^\/case\/\d+$/.test(person.path())) fault(`${name} ends at ${person.path()}`);
    if (!await page.$('button[value="reopened"]')) fault(`${name}: the case is not closed`);
    within(`${name}: keys`, person.keys, 5);
    within(`${name}: pages`, person.pages.size, 2);
    // What was decided can be taken back.
    await (script ? person.goes('u', 'Enter') : person.goes('Alt+u'));
    if (!await page.$('button[value="harmless"]')) fault(`${name}: the case is not open again`);
    await context.close();
  }
}

// A stolen account is confirmed, its scope looked at, and the first notice made ready by one person
// and signed by another.
export async function notice() {
  const first = await opened();
  await become(first.page, 'privacy-officer');
  const officer = new Person(first.page);
  await officer.comes('/');
  await picture(first.page, 'queue');
  await officer.goes('j', 'Enter');
  const number = officer.path().split('/').at(-1);
  await picture(first.page, 'case');
  await officer.goes('c', 'Enter');
  await officer.goes('w', 'Enter');
  if (officer.path() !== `/case/${number}/scope`) fault(`the key w leads to ${officer.path()}`);
  await officer.goes('t', 'Enter');
  await officer.goes('d', 'Enter');
  await officer.goes('h', 'Enter');
  await officer.goes('p', 'Enter');
  await picture(first.page, 'notice');
  const share = await filled(first.page, number);

  const second = await opened();
  await become(second.page, 'incident-lead');
  const lead = new Person(second.page);
  await lead.comes('/');
  // The breach that waits is a row of the first page.
  const place = await second.page.$$eval('[data-row]', (rows) =>
    rows.findIndex((row) => /\/case\/\d+\/notice/.test(row.getAttribute('href'))));
  if (place < 0) { fault('no breach waits on the first page of the second person'); return null; }
  await lead.goes(...Array(place + 1).fill('j'), 'Enter');
  await lead.goes('s', 'Enter');

  const { file, record } = await (await second.page.request.get(at(`/case/${number}/notice.json`))).json();
  for (const [regime, phase] of [['gdpr-33', 'initial'], ['no-datatilsynet', 'initial']]) {
    const signed = file.notices.find((held) => held.regime === regime && held.phase === phase && held.signed);
    if (!signed) fault(`${regime} ${phase} is not signed`);
  }
  const [thief] = stolen()[0];
  if (JSON.stringify(record).includes(thief.split('/').at(-1))) fault('the record of the breach names the reader');
  within('compromise to signed notice: keys', officer.keys + lead.keys, 25);
  atLeast('fields of the first notices filled, %', share, 85);
  await inScope(first, second, number);
  await first.context.close();
  await second.context.close();
  return number;
}

// Of the owed notice that has the fewest fields filled, in its first phase.
async function filled(page, number) {
  const { notices } = await (await page.request.get(at(`/case/${number}/notice.json`))).json();
  const owed = notices.filter((held) => held.fields > 0 && held.duty === 'owed');
  const late = owed.filter((held) => held.phase !== 'initial');
  if (late.length) fault(`not in the first phase: ${late.map((held) => held.regime)}`);
  const shares = owed.map((held) => Math.floor(held.filled * 100 / held.fields));
  return shares.length ? Math.min(...shares) : 0;
}

// Whose records were stolen, as the region was made, against the names that two persons let out.
async function inScope(first, second, number) {
  const page = first.page;
  await page.goto(at(`/case/${number}/patients`));
  await page.fill('#reason', 'who was exposed');
  await moves(page, () => page.click('main form[action$="/patients"] button'));
  await second.page.goto(at('/settings'));
  await moves(second.page, () => second.page.click('form[action$="/confirm"] button'));
  const revealed = await (await page.request.get(at(`/case/${number}/patients.json`))).json();
  const bare = (name) => name.split(/[|/]/).at(-1);
  const found = new Set(revealed.map((held) => bare(held.patient)));
  const planted = new Set(stolen().map((read) => bare(read[1])));
  const hits = [...planted].filter((patient) => found.has(patient)).length;
  atLeast(`stolen patients in scope, of ${planted.size}, %`, planted.size ? hits * 100 / planted.size : 0, 100);
}

// A patient has asked who read the record: the officer's way to the report.
export async function report() {
  const { context, page } = await opened();
  await become(page, 'privacy-officer');
  const [thief, patient] = stolen()[0];
  const person = new Person(page);
  await person.comes('/');
  const key = await page.getAttribute('nav.pages a[href^="/patient"]', 'data-key');
  await person.goes(key, 'Enter');
  await person.press('p');
  await person.types(patient);
  await person.goes('Enter');
  if (!/^\/patient\/[0-9a-f]+$/.test(person.path())) fault(`the patient's page is ${person.path()}`);
  const words = await page.textContent('main');
  if (!words.includes(thief.split('/').at(-1))) fault('the report does not name the thief');
  const began = performance.now();
  await person.goes('r', 'Enter');
  bars.push(['patient\'s report: ms in this build', Math.round(performance.now() - began), '', true]);
  await picture(page, 'report');
  within('patient\'s report: keys', person.keys, 10);
  await context.close();
}
