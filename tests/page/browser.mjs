// Drives Chromium for pytest: one JSON request a line on stdin, one JSON answer a line on stdout.
//
// node browser.mjs FOLDER_OF_NODE_MODULES CHROMIUM
//   {"id": 1, "do": "open", "page": "p1", "microphone": "spoken", "context": {…}}  first for a page
//   {"id": 2, "do": "click", "page": "p1", "selector": "button", "timeout": 10000}
//   → {"id": 2, "value": null}  or  {"id": 2, "error": "what went wrong"}

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { environment, flags, scripts } from './launching.mjs';

const [folder, executablePath] = process.argv.slice(2);
const require = createRequire(`${folder}/`);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const POLL = 50; // ms

const browsers = new Map(); // by flags, as a promise
const opened = new Map(); // by name of page: {page, context, seen}

function browserFor(microphone, clip) {
  const args = flags(microphone, clip);
  const key = args.join(' ');
  if (!browsers.has(key)) {
    const env = environment(microphone, process.env);
    browsers.set(key, chromium.launch({ executablePath, args, env, headless: true }));
  }
  return browsers.get(key);
}

/** What the page asks for and says, from its very beginning. */
function watch(page) {
  const seen = { requests: [], console: [] };
  page.on('request', (request) => seen.requests.push(request.url()));
  page.on('console', (message) => seen.console.push(`${message.type()}: ${message.text()}`));
  page.on('websocket', (socket) => seen.requests.push(socket.url()));
  page.on('pageerror', (error) => seen.console.push(`uncaught: ${error.message}`));
  page.on('crash', () => seen.console.push('uncaught: the page crashed'));
  return seen;
}

async function newContext({ microphone, clip, context: options }) {
  const browser = await browserFor(microphone, clip);
  const context = await browser.newContext(options);
  for (const script of scripts(microphone)) {
    const path = fileURLToPath(new URL(`inpage/${script}`, import.meta.url));
    await context.addInitScript({ path });
  }
  return context;
}

async function open(request) {
  const context = opened.get(request.beside)?.context ?? (await newContext(request));
  const page = await context.newPage();
  opened.set(request.page, { page, context, seen: watch(page) });
}

async function close({ page: name }) {
  const one = opened.get(name);
  if (!one) return;
  opened.delete(name);
  // A page that goes away hangs up; one whose browser vanishes is missed by the server for 10 s.
  await one.page.goto('about:blank', { timeout: 5000 }).catch(() => {});
  await one.page.close();
  const isShared = [...opened.values()].some(({ context }) => context === one.context);
  if (!isShared) await one.context.close();
}

/** `page.waitForFunction` evaluates within the page, which June's policy rightly forbids. */
async function wait(page, js, timeout) {
  const until = performance.now() + timeout;
  let last;
  while (performance.now() < until) {
    try {
      const value = await page.evaluate(js);
      if (value) return value;
      last = JSON.stringify(value);
    } catch (error) {
      if (!/context was destroyed|navigation/.test(error.message)) throw error;
      last = error.message; // the page is just being replaced
    }
    await new Promise((done) => setTimeout(done, POLL));
  }
  throw new Error(`not within ${timeout / 1000} s: ${js}\nat last: ${last}`);
}

const onPage = {
  goto: ({ page }, { url, timeout }) => page.goto(url, { timeout }).then((answer) => answer?.status()),
  click: ({ page }, { selector, timeout }) => page.click(selector, { timeout }),
  fill: ({ page }, { selector, text, timeout }) => page.fill(selector, text, { timeout }),
  choose: ({ page }, { selector, text, timeout }) => page.selectOption(selector, text, { timeout }),
  press: ({ page }, { key }) => page.keyboard.press(key),
  text: ({ page }, { selector, timeout }) => page.innerText(selector, { timeout }),
  evaluate: ({ page }, { js }) => page.evaluate(js),
  wait: ({ page }, { js, timeout }) => wait(page, js, timeout),
  screenshot: ({ page }, { path, whole, timeout }) =>
    page.screenshot({ path, fullPage: whole, timeout }).then(() => null),
  seen: ({ seen }) => seen,
  answer: ({ page }, { pattern, status, headers, body, times }) =>
    page.route(
      pattern,
      (route) => (status ? route.fulfill({ status, headers, body }) : route.abort()),
      times ? { times } : {},
    ).then(() => null),
  cdp: ({ page, context }, { method, parameters }) =>
    context.newCDPSession(page).then((session) => session.send(method, parameters)),
  axe: ({ page }) => page.evaluate(axe).then(() => page.evaluate("axe.run({resultTypes: ['violations']})"))
    .then((found) => found.violations),
};

async function answer(request) {
  if (request.do === 'open') return open(request);
  if (request.do === 'close') return close(request);
  const one = opened.get(request.page);
  if (!one) throw new Error(`page \`${request.page}\` is not open`);
  return onPage[request.do](one, request);
}

async function handle(line) {
  const request = JSON.parse(line);
  const said = await answer(request).then(
    (value) => ({ value: value ?? null }),
    (error) => ({ error: error.message }),
  );
  process.stdout.write(`${JSON.stringify({ id: request.id, ...said })}\n`);
}

const lines = createInterface({ input: process.stdin });
lines.on('line', handle);
lines.on('close', async () => {
  await Promise.all([...opened.keys()].map((page) => close({ page })));
  const all = await Promise.allSettled(browsers.values());
  await Promise.all(all.filter((one) => one.value).map((one) => one.value.close()));
  process.exit(0);
});
