#!/usr/bin/env node
/**
 * An agent without a model behind it: it shows all that `spec-kitty orchestrate` asks of one. It reads its prompt from
 * stdin, works in its working directory, commits, and ends its answer with the lines the prompt asks for.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const prompt = readFileSync(0, 'utf8');
const wpId = /^# Your task: (?:implement|review) (WP\d+)/m.exec(prompt)?.[1] ?? 'WP00';
const file = `notes/${wpId}.md`;
const code = /^Your verdict code is `(\w+)`/m.exec(prompt)?.[1];

if (code === undefined) implement();
else review(code);

function implement() {
  const title = /^# Work Package Prompt: (.+)$/m.exec(prompt)?.[1] ?? wpId;
  const subtasks = [...new Set(prompt.match(/\bT\d{3}\b/g))];
  mkdirSync('notes', { recursive: true });
  writeFileSync(file, `# ${title}\n\nWritten by ${process.env.SPEC_KITTY_AGENT ?? 'the example agent'}.\n`);
  git('add', file);
  // A package that comes back from review may need no change; the answer is a commit all the same.
  git('commit', '--quiet', '--allow-empty', '-m', `feat: ${title}`);
  console.log(`I wrote ${file} and committed it.`);
  if (subtasks.length > 0) console.log(`DONE ${subtasks.join(' ')}`);
}

function review(verdictCode) {
  const isThere = existsSync(file) && git('log', '--oneline', '--', file) !== '';
  console.log(`I looked for ${file}.`);
  console.log(`VERDICT ${verdictCode}: ${isThere ? 'APPROVED' : `REJECTED ${file} is not committed`}`);
}

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8' });
}
