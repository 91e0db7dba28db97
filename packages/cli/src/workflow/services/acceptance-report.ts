/** What is said of a feature before it is accepted, and the refusal that carries it. */
import { WorkflowError } from '../errors.ts';
import type { Findings } from './acceptance-facts.ts';
import { closedGates, judgeAcceptance, type AcceptanceSummary, type Gate } from './acceptance-gates.ts';
import { helpFor } from './acceptance-help.ts';

/** The verdict, and for each closed gate the commands that help. */
export interface AcceptanceReport extends AcceptanceSummary {
  readonly help: Readonly<Partial<Record<Gate, readonly string[]>>>;
}

/** The refusal while a gate is closed; the report is also its details. */
export class NotAcceptable extends WorkflowError {
  readonly report: AcceptanceReport;

  constructor(report: AcceptanceReport) {
    const closed = closedGates(report).map((gate) => `${gate.replaceAll('_', ' ')} (${report[gate].length})`);
    super('not-acceptable', `${report.feature} cannot be accepted yet: ${closed.join(', ')}.`, {
      remedy: firstSteps(report),
      details: { ...report },
    });
    this.report = report;
  }
}

/** As much of a remedy as is shown on a terminal without being cut. */
const REMEDY_LENGTH = 400;

/** The report on what was found. `command` is what was typed, for the commands that help. */
export function reportOf(findings: Findings, command: string): AcceptanceReport {
  const summary = judgeAcceptance(findings.facts);
  return { ...summary, help: helpFor({ facts: findings.facts, summary, mission: findings.mission, command }) };
}

/** The same, but refuses while a gate is closed. */
export function requireOpen(findings: Findings, command: string): AcceptanceReport {
  const report = reportOf(findings, command);
  if (!report.ok) throw new NotAcceptable(report);
  return report;
}

/** The commands for the first closed gate that has some; the others are in the report. */
function firstSteps(report: AcceptanceReport): string {
  const [first = '', ...more] =
    closedGates(report)
      .map((gate) => report.help[gate] ?? [])
      .find((commands) => commands.length > 0) ?? [];
  return more.reduce((text, line) => (text.length + line.length < REMEDY_LENGTH ? `${text}\n${line}` : text), first);
}
