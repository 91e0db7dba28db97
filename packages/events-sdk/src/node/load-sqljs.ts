/**
 * Loads sql.js for a process that will not live long. V8 hands WebAssembly functions that have run for a while to its
 * optimizing compiler; SQLite's two big loops reach that point within their first few hundred steps and then cost
 * about 120 ms of processor time each, for which a command that records one event waits at its end. Measured: a fresh
 * emission 148 → 96 ms, its whole process 282 → 152 ms. A process that goes on still gets there, after thirty times the work.
 */

import { setFlagsFromString } from 'node:v8';
import type { SqlJsModule } from '../storage/sqljs/sql-js.ts';

/** What V8 starts from (its `--wasm-tiering-budget`), and what sql.js is loaded with. */
const USUAL_BUDGET = 13_000_000;
const PATIENT_BUDGET = 30 * USUAL_BUDGET;

/** `import('sql.js')`, compiled for a quick start. Functions compiled meanwhile by others of this process share the budget. */
export async function loadSqlJs(): Promise<SqlJsModule> {
  const { default: initSqlJs } = await import('sql.js');
  const isOurs = !isBudgetChosen();
  if (isOurs) setBudget(PATIENT_BUDGET);
  try {
    return await initSqlJs();
  } finally {
    if (isOurs) setBudget(USUAL_BUDGET);
  }
}

/** Somebody who has set the budget for this process knows why. */
function isBudgetChosen(): boolean {
  return [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].some((text) => text.includes('wasm-tiering'));
}

function setBudget(budget: number): void {
  try {
    setFlagsFromString(`--wasm-tiering-budget=${budget}`);
  } catch {
    // A runtime without this flag; it only costs time.
  }
}
