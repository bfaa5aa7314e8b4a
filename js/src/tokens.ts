import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

/** The MIME type of what a magic shows. */
export const OUTCOME = 'application/vnd.safeinstall.outcome+json';

/** What the kernel says: every sentence here was written by the Python side. */
export interface ISuggestion {
  command: string;
  note: string;
}

/** What a button does: a method of the agent with its parameters. Chosen by the agent alone. */
export interface IAction {
  label: string;
  method: string;
  params: { [name: string]: any };
  title: string;
  /** The whole line it carries out, as it may be shown; empty where it carries out none. */
  line: string;
}

export interface IFinding {
  code: string;
  severity: 'info' | 'warning' | 'confirm' | 'refuse';
  message: string;
  context: string;
  suggestions: ISuggestion[];
  actions?: IAction[];
}

export interface IVerdict {
  state: 'yes' | 'care' | 'no';
  code: string;
  sentence: string;
  reason: string;
  /** An environment of one's own is the way on. */
  new_environment: boolean;
}

export interface IFacts {
  executable: string;
  version: string;
  name: string;
  kind: string;
  kind_words: string;
  prefix: string;
  label: string;
  packages: string;
  shown_packages: string;
  verdict: IVerdict;
  findings: IFinding[];
  wrong: IWrongInstall[];
  abilities: string[];
  jobs: IJob[];
  /** The ids of what the magics of this process have shown. */
  outcomes: string[];
}

export interface IChange {
  name: string;
  before: string | null;
  after: string | null;
  requested: boolean;
}

export type OutcomeStatus =
  'satisfied' | 'planned' | 'done' | 'needs-confirmation' | 'refused' | 'failed' | 'rolled-back';

export interface IOutcome {
  status: OutcomeStatus;
  asked: string;
  plan: { changes: IChange[] };
  findings: IFinding[];
  restart: 'none' | 'refreshed' | 'needed';
  transaction: string | null;
}

/** What can be done about an outcome that a kernel process has shown. */
export interface IWays {
  restart: string;
  transaction: string | null;
}

export interface IMessage {
  mark: '✓' | '✗' | '!' | '·' | '';
  headline: string;
  /** How long it took, where somebody watched. */
  seconds?: number | null;
  lines: string[];
  suggestions: ISuggestion[];
  details: string;
}

export interface IFailure {
  code: string;
  message: string;
  hint: string;
}

export interface IResult {
  error?: IFailure;
  outcome?: IOutcome;
  message?: IMessage;
  /** What the request becomes when the question is answered; else it counts as confirmed. */
  confirm?: { [name: string]: unknown };
  /** An environment of one's own is the way on. */
  new_environment?: boolean;
  /** What else came of it: the transaction, and what damage there is now. */
  transaction?: string | null;
  findings?: IFinding[];
  kernel?: { name: string } | null;
  upgrades?: { [name: string]: string };
  line?: string;
  cursor?: number;
  versions?: IVersion[];
}

/** A version that can be had, and what the box holds when it is chosen. */
export interface IVersion {
  version: string;
  line: string;
  note: string;
}

export type JobKind =
  | 'install'
  | 'uninstall'
  | 'undo'
  | 'new-environment'
  | 'upgrades'
  | 'versions'
  | 'examine'
  | 'repair'
  | 'importable';

export interface IJob {
  id: string;
  kind: JobKind;
  title: string;
  state: 'running' | 'ended' | 'failed';
  words: string;
  fraction: number | null;
  cancelling: boolean;
  seconds: number;
  result: IResult | null;
}

export interface IPackage {
  name: string;
  version: string;
  needed_by: string[];
  requested: boolean;
  broken: string;
}

export interface IMissingModule {
  module: string;
  cell: string;
  distribution: string;
}

export interface IWrongInstall {
  cell: string;
  line: number;
  outcome: string;
  message: string;
  actions: IAction[];
  rewritable: boolean;
  /** The whole line that would stand in its place, as it may be shown. */
  instead: string;
}

export interface ICells {
  present: string[];
  missing: IMissingModule[];
  wrong: IWrongInstall[];
}

export interface ITransaction {
  id: string;
  time: string;
  command: string;
  changes: IChange[];
  state: 'committed' | 'undone';
  undoes: string | null;
  undoable: boolean;
  reason: string;
}

/** What there is to say about the kernel in front: exactly one of these. */
export type PanelState =
  | { kind: 'none' }
  | { kind: 'starting' }
  | { kind: 'not-python'; language: string }
  | { kind: 'busy' }
  | { kind: 'dead' }
  | { kind: 'failed'; message: string }
  | { kind: 'ready'; facts: IFacts };

export interface IOptions {
  side: 'left' | 'right';
  shellInstalls: 'warn' | 'redirect' | 'block' | 'off';
  ask: 'surprises' | 'always' | 'never';
  statusBar: boolean;
  notifications: boolean;
  record: 'magic' | 'pep723';
}

export const DEFAULTS: IOptions = {
  side: 'right',
  shellInstalls: 'warn',
  ask: 'surprises',
  statusBar: true,
  notifications: true,
  record: 'magic'
};

/** What other extensions may use. */
export interface ISafeInstall {
  readonly state: PanelState;
  readonly changed: ISignal<ISafeInstall, void>;
  /** Install; what the line decides beside names is asked first: nobody has typed it. */
  install(line: string): Promise<void>;
}

export const ISafeInstall = new Token<ISafeInstall>(
  'safeinstall:ISafeInstall',
  'Installs into the environment of the kernel of the current notebook.'
);
