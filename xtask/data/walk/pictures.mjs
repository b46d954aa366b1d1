// The pictures that the docs show, always of the same pages at the same size.
import path from 'node:path';
import { at, become, opened, pictures } from './browser.mjs';

const WIDTH = 1120;
const HEIGHT = 840;

export async function shoot(number) {
  const { context, page } = await opened({ width: WIDTH });
  await page.setViewportSize({ width: WIDTH, height: HEIGHT });
  const shots = [
    ['privacy-officer', 'queue', '/'],
    ['privacy-officer', 'case', `/case/${number}`],
    ['privacy-officer', 'scope', `/case/${number}/scope`],
    ['privacy-officer', 'notice', `/case/${number}/notice`],
    ['auditor', 'coverage', '/coverage'],
  ];
  for (const [role, name, link] of shots) {
    await become(page, role);
    await page.goto(at(link));
    await page.screenshot({ path: path.join(pictures, `${name}.png`) });
  }
  await context.close();
}
