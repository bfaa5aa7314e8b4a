/** What the panel shows: the session of the kernel in front, and what can be done there. */
import { Kernel, KernelSpec } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

import * as cells from './cells';
import { KernelSession } from './kernelSession';
import { IKernelConnection, KernelConnection } from './kernelConnection';
import { DEFAULTS, IAction, ICells, IJob, IOptions, ISafeInstall, PanelState } from './tokens';
import type { ISubject, SubjectTracker } from './tracker';

/** The part of Lab's kernel spec manager that is needed to find a kernel that was just made. */
export interface ISpecs {
  refreshSpecs(): Promise<void>;
  readonly specs: KernelSpec.ISpecModels | null;
}

export class PanelModel implements ISafeInstall {
  constructor(
    tracker: SubjectTracker,
    specs: ISpecs,
    open: (kernel: Kernel.IKernelConnection) => IKernelConnection = kernel =>
      new KernelConnection(kernel)
  ) {
    this._tracker = tracker;
    this._specs = specs;
    this._open = open;
    tracker.changed.connect(() => this._followSubject());
    this._followSubject();
  }

  options: IOptions = { ...DEFAULTS };

  /** The text in the box: kept while notebooks come and go. */
  line = '';

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** A job has ended, on whichever kernel. */
  get ended(): ISignal<this, { session: KernelSession; job: IJob }> {
    return this._ended;
  }

  get subject(): ISubject | null {
    return this._subject;
  }

  get session(): KernelSession | null {
    return this._session;
  }

  get state(): PanelState {
    return this._session?.state ?? { kind: 'none' };
  }

  setLine(line: string): void {
    this.line = line;
    this._isOffered &&= line !== '';
    this._changed.emit();
  }

  /** Put a line into the box that somebody else has written. */
  offerLine(line: string): void {
    this._isOffered = true;
    this.setLine(line);
  }

  /** Tell whether somebody else has written some of what is in the box, perhaps out of sight. */
  get isOffered(): boolean {
    return this._isOffered;
  }

  setOptions(options: IOptions): void {
    const watch = options.shellInstalls !== this.options.shellInstalls;
    this.options = options;
    if (watch && this._session?.facts && this._session.kernel.status === 'idle') {
      void this._session.loadFacts();
    }
    this._changed.emit();
  }

  /**
   * Install into the kernel in front, or into that of another session, what nobody has typed: the
   * kernel asks before such a line says where packages come from.
   */
  async install(line: string, session = this._session, taken_over = true): Promise<void> {
    if (line.trim()) {
      await session?.start('install', { line: line.trim(), ask: this.options.ask, taken_over });
    }
  }

  /** Install what stands in the box. */
  async submit(): Promise<void> {
    await this.install(this.line, this._session, this._isOffered);
  }

  async uninstall(name: string): Promise<void> {
    await this._session?.start('uninstall', { line: name });
  }

  /** Do what the button of a finding says: the agent has chosen what that is. */
  async act(action: IAction): Promise<void> {
    await this._session?.start(action.method, { ask: this.options.ask, ...action.params });
  }

  /** Look for damage. */
  async examine(): Promise<void> {
    await this._session?.start('examine', {});
  }

  /** Do what was shown, now that it was seen. */
  async confirm(): Promise<void> {
    const context = this._subject?.sessionContext;
    const job = await this._session?.confirm();
    if (job?.kind === 'new-environment' && context) {
      this._waiting.set(job.id, context);
    }
  }

  /** Return the session of the kernel process that has shown an outcome, as far as is known. */
  sessionThatShowed(id: string): KernelSession | null {
    return [...this._sessions.values()].find(session => session.outcomes.has(id)) ?? null;
  }

  /** Do what the button of an output says, if the kernel in front has really shown that. */
  async follow(id: string, way: 'restart' | 'run' | 'undo'): Promise<void> {
    const session = this._session;
    const known = session !== null && this.sessionThatShowed(id) === session;
    const ways = known ? await session.waysOf(id) : null;
    if (!ways || session !== this._session) {
      return;
    }
    if (way === 'undo' && ways.transaction) {
      await this.undo(ways.transaction);
    } else if (way !== 'undo' && ways.restart === 'needed') {
      await this.restart(way === 'run');
    }
  }

  async undo(id: string | null): Promise<void> {
    await this._session?.start('undo', { id });
  }

  /** Make an environment with a kernel; the notebook is switched when it is there. */
  async newEnvironment(path: string, overlay: boolean): Promise<void> {
    const [session, context] = [this._session, this._subject?.sessionContext];
    const refused = session?.job?.result?.new_environment
      ? session.shownRequest?.params
      : undefined;
    const line = refused?.line ?? this.line.trim();
    const taken_over = refused ? !!refused.taken_over : this._isOffered;
    const job = await session?.start('new_environment', { path, line, overlay, taken_over });
    if (job && context) {
      this._waiting.set(job.id, context);
    }
  }

  async checkUpgrades(): Promise<void> {
    const names = this._session?.packages?.map(item => item.name) ?? [];
    await this._session?.start('upgrades', { names });
  }

  async restart(andRun: boolean): Promise<void> {
    const subject = this._subject;
    await subject?.sessionContext.restartKernel();
    if (andRun && subject?.notebook) {
      await this._session?.loadFacts(true); // the new process has our magics when it has answered
      await cells.runToHere(subject.notebook);
    }
  }

  async loadCells(): Promise<void> {
    const notebook = this._subject?.notebook;
    const session = this._session;
    if (notebook && session) {
      const needs = await session.request<ICells>('cells', { cells: cells.sources(notebook) });
      if (needs && notebook === this._subject?.notebook) {
        session.showCells(needs, notebook);
      }
    }
  }

  /** Tell whether the notebook in front has this cell. */
  holds(id: string): boolean {
    const notebook = this._subject?.notebook;
    return !!notebook && cells.sources(notebook).some(cell => cell.id === id);
  }

  /** Show a cell of the notebook. */
  reveal(id: string): void {
    if (this._subject?.notebook) {
      cells.reveal(this._subject.notebook, id);
    }
  }

  /** Write the wrong installs of a cell as `%safeinstall`. */
  async rewrite(id: string): Promise<void> {
    const notebook = this._subject?.notebook;
    const cell = notebook && cells.sources(notebook).find(item => item.id === id);
    if (!notebook || !cell || !this._session) {
      return;
    }
    type Rewritten = { source: string; changed: boolean };
    const answer = await this._session.request<Rewritten>('rewrite', { source: cell.source });
    if (answer?.changed) {
      cells.replace(notebook, cell, answer.source);
    }
    await this.loadCells();
  }

  /** Write requirements down in the notebook, where the user chose. */
  async record(requirements: string[]): Promise<void> {
    const notebook = this._subject?.notebook;
    if (!notebook || !this._session) {
      return;
    }
    const where = this.options.record;
    const all = cells.sources(notebook);
    const sign = where === 'magic' ? '%safeinstall' : '# /// script';
    const first = all.find(cell => cell.source.includes(sign)) ?? { id: '', source: '' };
    const params = { where, source: first.source, requirements };
    type Recorded = { source: string; new: boolean };
    const answer = await this._session.request<Recorded>('record', params);
    if (!answer) {
      return;
    }
    if (answer.new) {
      cells.insertFirst(notebook, answer.source);
    } else {
      cells.replace(notebook, first, answer.source);
    }
  }

  private _followSubject(): void {
    const subject = this._tracker.current;
    if (subject === this._subject) {
      return;
    }
    this._subject?.sessionContext.kernelChanged.disconnect(this._followKernel, this);
    this._subject = subject;
    subject?.sessionContext.kernelChanged.connect(this._followKernel, this);
    this._followKernel();
    if (this._session?.cells && this._session.cellsNotebook !== subject?.notebook) {
      this._session.showCells(null, null);
    }
  }

  /** Follow the kernel that the subject has now. */
  private _followKernel(): void {
    this._session?.changed.disconnect(this._onSessionChanged, this);
    const kernel = this._subject?.sessionContext.session?.kernel ?? null;
    this._session = kernel && !kernel.isDisposed ? this._sessionOf(kernel, this._subject) : null;
    this._session?.changed.connect(this._onSessionChanged, this);
    this._changed.emit();
  }

  private _onSessionChanged(): void {
    this._changed.emit();
  }

  private _sessionOf(kernel: Kernel.IKernelConnection, subject: ISubject | null): KernelSession {
    const known = this._sessions.get(kernel.id);
    if (known && !known.isDisposed) {
      return known;
    }
    const settings = () => {
      const notebook = (this._session === session ? this._subject : subject)?.notebook;
      return {
        shell_installs: this.options.shellInstalls,
        cells: notebook && !notebook.isDisposed ? cells.installs(notebook) : []
      };
    };
    const session = new KernelSession(kernel, () => this._open(kernel), settings);
    session.ended.connect(this._onJobEnded, this);
    this._sessions.set(kernel.id, session);
    kernel.disposed.connect(() => {
      if (this._sessions.get(kernel.id) === session) {
        this._sessions.delete(kernel.id);
      }
      if (this._session === session) {
        this._followKernel(); // the notebook in front has a connection of its own to this kernel, or none
      }
    });
    return session;
  }

  private _onJobEnded(session: KernelSession, job: IJob): void {
    const context = this._waiting.get(job.id);
    const made = job.result?.kernel;
    this._waiting.delete(job.id);
    if (made && context) {
      void this._switch(context, session, made.name, job);
    }
    if (session === this._session && session.cells && job.result?.outcome?.status === 'done') {
      void this.loadCells(); // what was missing may be there now
    }
    this._ended.emit({ session, job });
  }

  /** Give the notebook the kernel that was made for it; the document stays as it is. */
  private async _switch(
    context: ISubject['sessionContext'],
    session: KernelSession,
    name: string,
    job: IJob
  ): Promise<void> {
    await this._specs.refreshSpecs();
    const same = !context.isDisposed && context.session?.kernel?.id === session.kernel.id;
    if (same && this._specs.specs?.kernelspecs[name]) {
      const kernel = await context.changeKernel({ name });
      if (kernel) {
        this._sessionOf(kernel, null).showJob(job);
      }
    }
  }

  private _tracker: SubjectTracker;
  private _specs: ISpecs;
  private _open: (kernel: Kernel.IKernelConnection) => IKernelConnection;
  private _isOffered = false;
  private _subject: ISubject | null = null;
  private _session: KernelSession | null = null;
  private _sessions = new Map<string, KernelSession>();
  /** The documents that wait for an environment, by the job that makes it. */
  private _waiting = new Map<string, ISubject['sessionContext']>();
  private _changed = new Signal<this, void>(this);
  private _ended = new Signal<this, { session: KernelSession; job: IJob }>(this);
}
