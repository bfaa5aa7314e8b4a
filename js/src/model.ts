/** What the panel shows: the desk of the kernel in front, and what can be done there. */
import { Kernel, KernelSpec } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

import * as cells from './cells';
import { Desk } from './kernelSession';
import { IDoor, KernelDoor } from './kernelConnection';
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
    open: (kernel: Kernel.IKernelConnection) => IDoor = kernel => new KernelDoor(kernel)
  ) {
    this._tracker = tracker;
    this._specs = specs;
    this._open = open;
    tracker.changed.connect(() => this._follow());
    this._follow();
  }

  options: IOptions = { ...DEFAULTS };

  /** The text in the box: kept while notebooks come and go. */
  line = '';

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** A job has ended, on whichever kernel. */
  get ended(): ISignal<this, { desk: Desk; job: IJob }> {
    return this._ended;
  }

  get subject(): ISubject | null {
    return this._subject;
  }

  get desk(): Desk | null {
    return this._desk;
  }

  get state(): PanelState {
    return this._desk?.state ?? { kind: 'none' };
  }

  setLine(line: string): void {
    this.line = line;
    this._changed.emit();
  }

  setOptions(options: IOptions): void {
    const watch = options.shellInstalls !== this.options.shellInstalls;
    this.options = options;
    if (watch && this._desk?.facts && this._desk.kernel.status === 'idle') {
      void this._desk.look();
    }
    this._changed.emit();
  }

  /** Install into the kernel in front, or into that of another desk. */
  async install(line: string, desk = this._desk): Promise<void> {
    if (line.trim()) {
      await desk?.start('install', { line: line.trim(), ask: this.options.ask });
    }
  }

  async uninstall(name: string): Promise<void> {
    await this._desk?.start('uninstall', { line: name });
  }

  /** Do what the button of a finding says: the agent has chosen what that is. */
  async act(action: IAction): Promise<void> {
    await this._desk?.start(action.method, { ask: this.options.ask, ...action.params });
  }

  /** Look for damage. */
  async examine(): Promise<void> {
    await this._desk?.start('examine', {});
  }

  /** Do what was shown, now that it was seen. */
  async confirm(): Promise<void> {
    await this._desk?.confirm();
  }

  async undo(id: string | null): Promise<void> {
    await this._desk?.start('undo', { id });
  }

  /** Make an environment with a kernel; the notebook is switched when it is there. */
  async newEnvironment(path: string, overlay: boolean): Promise<void> {
    const [desk, context] = [this._desk, this._subject?.sessionContext];
    const refused = desk?.job?.result?.new_environment ? desk.asked?.params.line : undefined;
    const line = refused ?? this.line.trim();
    const job = await desk?.start('new_environment', { path, line, overlay });
    if (job && context) {
      this._waiting.set(job.id, context);
    }
  }

  async checkUpgrades(): Promise<void> {
    const names = this._desk?.packages?.map(found => found.name) ?? [];
    await this._desk?.start('upgrades', { names });
  }

  async restart(andRun: boolean): Promise<void> {
    const subject = this._subject;
    await subject?.sessionContext.restartKernel();
    if (andRun && subject?.notebook) {
      await cells.runToHere(subject.notebook);
    }
  }

  async loadCells(): Promise<void> {
    const notebook = this._subject?.notebook;
    const desk = this._desk;
    if (notebook && desk) {
      const found = await desk.question<ICells>('cells', { cells: cells.sources(notebook) });
      if (found && notebook === this._subject?.notebook) {
        desk.showCells(found, notebook);
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
    const cell = notebook && cells.sources(notebook).find(found => found.id === id);
    if (!notebook || !cell || !this._desk) {
      return;
    }
    type Rewritten = { source: string; changed: boolean };
    const answer = await this._desk.question<Rewritten>('rewrite', { source: cell.source });
    if (answer?.changed) {
      cells.replace(notebook, cell, answer.source);
    }
    await this.loadCells();
  }

  /** Write requirements down in the notebook, where the user chose. */
  async record(requirements: string[]): Promise<void> {
    const notebook = this._subject?.notebook;
    if (!notebook || !this._desk) {
      return;
    }
    const where = this.options.record;
    const all = cells.sources(notebook);
    const sign = where === 'magic' ? '%safeinstall' : '# /// script';
    const first = all.find(cell => cell.source.includes(sign)) ?? { id: '', source: '' };
    const params = { where, source: first.source, requirements };
    type Recorded = { source: string; new: boolean };
    const answer = await this._desk.question<Recorded>('record', params);
    if (!answer) {
      return;
    }
    if (answer.new) {
      cells.insertFirst(notebook, answer.source);
    } else {
      cells.replace(notebook, first, answer.source);
    }
  }

  private _follow(): void {
    const subject = this._tracker.current;
    if (subject === this._subject) {
      return;
    }
    this._subject?.sessionContext.kernelChanged.disconnect(this._seat, this);
    this._subject = subject;
    subject?.sessionContext.kernelChanged.connect(this._seat, this);
    this._seat();
    if (this._desk?.cells && this._desk.cellsOf !== subject?.notebook) {
      this._desk.showCells(null, null);
    }
  }

  /** Sit down at the desk of the kernel that the subject has now. */
  private _seat(): void {
    this._desk?.changed.disconnect(this._onDesk, this);
    const kernel = this._subject?.sessionContext.session?.kernel ?? null;
    this._desk = kernel && !kernel.isDisposed ? this._deskOf(kernel, this._subject) : null;
    this._desk?.changed.connect(this._onDesk, this);
    this._changed.emit();
  }

  private _onDesk(): void {
    this._changed.emit();
  }

  private _deskOf(kernel: Kernel.IKernelConnection, subject: ISubject | null): Desk {
    const known = this._desks.get(kernel.id);
    if (known && !known.isDisposed) {
      return known;
    }
    const settings = () => {
      const notebook = (this._desk === desk ? this._subject : subject)?.notebook;
      return {
        shell_installs: this.options.shellInstalls,
        cells: notebook && !notebook.isDisposed ? cells.installs(notebook) : []
      };
    };
    const desk = new Desk(kernel, () => this._open(kernel), settings);
    desk.ended.connect(this._onEnded, this);
    this._desks.set(kernel.id, desk);
    kernel.disposed.connect(() => {
      if (this._desks.get(kernel.id) === desk) {
        this._desks.delete(kernel.id);
      }
      if (this._desk === desk) {
        this._seat(); // the notebook in front has a connection of its own to this kernel, or none
      }
    });
    return desk;
  }

  private _onEnded(desk: Desk, job: IJob): void {
    const context = this._waiting.get(job.id);
    const made = job.result?.kernel;
    this._waiting.delete(job.id);
    if (made && context) {
      void this._switch(context, desk, made.name, job);
    }
    if (desk === this._desk && desk.cells && job.result?.outcome?.status === 'done') {
      void this.loadCells(); // what was missing may be there now
    }
    this._ended.emit({ desk, job });
  }

  /** Give the notebook the kernel that was made for it; the document stays as it is. */
  private async _switch(
    context: ISubject['sessionContext'],
    desk: Desk,
    name: string,
    job: IJob
  ): Promise<void> {
    await this._specs.refreshSpecs();
    const same = !context.isDisposed && context.session?.kernel?.id === desk.kernel.id;
    if (same && this._specs.specs?.kernelspecs[name]) {
      const kernel = await context.changeKernel({ name });
      if (kernel) {
        this._deskOf(kernel, null).show(job);
      }
    }
  }

  private _tracker: SubjectTracker;
  private _specs: ISpecs;
  private _open: (kernel: Kernel.IKernelConnection) => IDoor;
  private _subject: ISubject | null = null;
  private _desk: Desk | null = null;
  private _desks = new Map<string, Desk>();
  /** The documents that wait for an environment, by the job that makes it. */
  private _waiting = new Map<string, ISubject['sessionContext']>();
  private _changed = new Signal<this, void>(this);
  private _ended = new Signal<this, { desk: Desk; job: IJob }>(this);
}
