/** The page in a headless Chromium: opened, looked at, and typed into as a visitor would. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const artefacts = join(root, 'tests/.artifacts/web');

export interface Visit {
  page: Page;
  /** What the console and uncaught errors said; what a test provokes it takes out itself. */
  errors: string[];
}

export async function visit(browser: Browser, url: string, width = 1400): Promise<Visit> {
  const page = await browser.newPage({ viewport: { width, height: 1000 } });
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(url);
  return { page, errors };
}

/** Kept for people who want to see what a test saw. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(artefacts, { recursive: true });
  await page.screenshot({ path: join(artefacts, `${name}.png`), fullPage: true });
}

/** Waits until the terminal's rows, joined, match; a message on the page ends the wait. */
export async function seeTerminal(
  page: Page,
  pattern: RegExp,
  milliseconds: number,
): Promise<void> {
  const limit = Date.now() + milliseconds;
  for (;;) {
    const { text, message } = await page.evaluate(() => {
      const rows = [...document.querySelectorAll('#serial .xterm-rows > div')];
      const shown = document.querySelector<HTMLElement>('#message')!;
      // Chromium draws blanks that do not break; and a row's width is filled up with them.
      const lines = rows.map((row) => row.textContent!.replaceAll('\u00a0', ' ').trimEnd());
      return { text: lines.join('\n').trimEnd(), message: shown.hidden ? '' : shown.innerText };
    });
    if (pattern.test(text)) return;
    if (message) throw new Error(`the page says: ${message}`);
    if (Date.now() > limit) throw new Error(`${pattern} is not on the terminal:\n${text}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export async function typeInTerminal(page: Page, text: string): Promise<void> {
  await page.click('#serial .xterm-screen');
  await page.keyboard.type(text);
}

export async function seeState(page: Page, state: string, milliseconds = 60_000): Promise<void> {
  await page.waitForFunction(
    (wanted) => document.querySelector('#state')!.textContent === wanted,
    state,
    { timeout: milliseconds },
  );
}

/** The message that is shown, which says what to do. */
export async function seeMessage(page: Page, pattern: RegExp): Promise<string> {
  await page.waitForSelector('#message', { state: 'visible', timeout: 60_000 });
  await page.waitForFunction(
    ([source]) => new RegExp(source!).test(document.querySelector('#message-text')!.textContent!),
    [pattern.source],
    { timeout: 60_000 },
  );
  return (await page.textContent('#message-text'))!;
}

/** Drops files on the page. */
export async function drop(
  page: Page,
  files: { name: string; bytes: Uint8Array }[],
): Promise<void> {
  const plain = files.map(({ name, bytes }) => ({ name, bytes: [...bytes] }));
  await page.evaluate((list) => {
    const dataTransfer = new DataTransfer();
    for (const { name, bytes } of list) {
      dataTransfer.items.add(new File([new Uint8Array(bytes)], name));
    }
    dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true, bubbles: true }));
  }, plain);
}
