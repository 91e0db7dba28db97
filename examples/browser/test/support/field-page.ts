/** The page as a person uses it. */
import type { Page } from 'playwright-core';

import { ADA } from './world.ts';

export async function takeReadings(page: Page, count: number): Promise<void> {
  await page.fill('#count', String(count));
  await page.click('button:has-text("Take")');
}

export async function signIn(page: Page): Promise<void> {
  await page.fill('#username', ADA.username);
  await page.fill('#password', ADA.password);
  await page.click('button:has-text("Sign in")');
}

/** Waits until an element of the page says exactly that. */
export async function says(page: Page, id: string, text: string): Promise<void> {
  await page.locator(`#${id}`, { hasText: new RegExp(`^${text.replaceAll(/[[\]]/g, '\\$&')}$`) }).waitFor();
}

/** Waits until the service worker has the page's files: from then on it opens without its server. */
export async function isKept(page: Page): Promise<void> {
  await page.evaluate('navigator.serviceWorker.ready');
}
