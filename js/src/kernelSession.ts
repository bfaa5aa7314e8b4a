/** Everything known about one kernel: kept per process of the kernel, gone when it restarts. */
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import type { IDoor } from './kernelConnection';
import { IKernel, Life } from './kernelLifecycle';
import { Refused } from './question';
import type { ICells, IFacts, IFinding, IJob, IPackage, ITransaction, PanelState } from './tokens';

/** A question that started the job `id`. */
export interface IAsked {
  id: string;
  method: string;
  params: { [name: string]: unknown };
}

export class Desk implements IDisposable {
  constructor(kernel: IKernel, open: () => IDoor, settings: () => object) {
    this.kernel = kernel;
    this._open = open;
    this._settings = settings;
    kernel.disposed.connect(this.dispose, this);
    const desk = this;
    this._life = new Life(kernel, {
      get state() {
        return desk.state;
      },
      meet: () => void this._opened(), // a job that another page has started is heard of at once
      ask: () => void this.look(),
      forget: () => this._forget(),
      show: state => this._set(state)
    });
  }

  readonly kernel: IKernel;
  state: PanelState = { kind: 'starting' };
  job: IJob | null = null;
  /** The versions that were looked up last, beside whatever else goes on. */
  lookup: IJob | null = null;
  packages: IPackage[] | null = null;
  upgrades: { [name: string]: string } | null = null;
  cells: ICells | null = null;
  /** The notebook whose cells these are. */
  cellsOf: object | null = null;
  history: ITransaction[] | null = null;
  /** Damage, as far as somebody has had it looked for. */
  findings: IFinding[] | null = null;
  /** What went wrong with the last question, in the place where it was asked. */
  trouble = '';

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** A job of this kernel has ended. */
  get ended(): ISignal<this, IJob> {
    return this._ended;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get facts(): IFacts | null {
    return this.state.kind === 'ready' ? this.state.facts : null;
  }

  get working(): boolean {
    return this.job?.state === 'running';
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._life.dispose();
    this.kernel.disposed.disconnect(this.dispose, this);
    this._door?.dispose();
    this._changed.emit();
    Signal.clearData(this);
  }

  /** Ask for the facts: once when the kernel is first idle, and when the user wants it. */
  async look(now = false): Promise<void> {
    const facts = await this._ask<IFacts>('facts', this._settings(), now, message => {
      if (this.state.kind !== 'ready') {
        this._set({ kind: 'failed', message });
      }
    });
    if (facts) {
      this._set({ kind: 'ready', facts });
      const running = facts.jobs.find(job => job.state === 'running');
      if (running) {
        this._take(running);
      }
    }
  }

  /** What this page asked for, when that is the job that is shown. */
  get asked(): IAsked | null {
    return this._asked?.id === this.job?.id ? this._asked : null;
  }

  /** Start a job and return it; its progress and its end come by themselves. */
  async start(method: string, params: IAsked['params']): Promise<IJob | null> {
    this.trouble = '';
    const job = await this._ask<IJob>(method, params, true);
    if (job) {
      this._asked = { id: job.id, method, params };
      this._take(job);
    }
    return job;
  }

  /** Do what is shown, now that it was seen. */
  async confirm(): Promise<void> {
    if (this.asked) {
      await this.start(this.asked.method, { ...this.asked.params, confirmed: true });
    }
  }

  /** Look up the versions of what is being typed; the answer comes by itself, or never. */
  async lookUp(line: string, cursor: number): Promise<void> {
    const job = await this._ask<IJob>('versions', { line, cursor }, true, () => undefined);
    if (job) {
      this._take(job);
    }
  }

  async cancel(): Promise<void> {
    if (this.job?.state === 'running') {
      const job = await this._ask<IJob | null>('cancel', { id: this.job.id }, true);
      if (job) {
        this._take(job);
      }
    }
  }

  /** Show what came of a job of another kernel, which led here. */
  show(job: IJob): void {
    if (!this.job) {
      this.job = job;
      this._changed.emit();
    }
  }

  /** Put the last job's result away. */
  clear(): void {
    if (!this.working) {
      this.job = null;
      this.trouble = '';
      this._changed.emit();
    }
  }

  async loadPackages(): Promise<void> {
    const packages = await this._ask<IPackage[]>('packages', {}, true);
    if (packages) {
      this.packages = packages;
      this._changed.emit();
    }
  }

  async loadHistory(): Promise<void> {
    const history = await this._ask<ITransaction[]>('history', {}, true);
    if (history) {
      this.history = history;
      this._changed.emit();
    }
  }

  /** Show what the cells of a notebook need; it may not be the only one on this kernel. */
  showCells(found: ICells | null, notebook: object | null): void {
    this.cells = found;
    this.cellsOf = notebook;
    this._changed.emit();
  }

  /** Ask something whose answer is the caller's alone. */
  question<T>(method: string, params: object, now = true): Promise<T | null> {
    return this._ask<T>(method, params, now);
  }

  /** The process is gone: whatever it still answers is about nothing. */
  private _forget(): void {
    this._door?.forget();
    if (this.job?.state === 'running') {
      const result = {
        error: { code: 'kernel-gone', message: '', hint: '' }
      };
      this.job = { ...this.job, state: 'failed', result };
      this._ended.emit(this.job);
    } else if (this.job?.result?.outcome?.restart === 'needed') {
      this.job = null; // this was it
    }
    this.packages = this.upgrades = this.cells = this.history = null;
    this.lookup = this.findings = null;
  }

  private async _ask<T>(
    method: string,
    params: object,
    now: boolean,
    failed: (message: string) => void = message => {
      this.trouble = message;
      this._changed.emit();
    }
  ): Promise<T | null> {
    const life = this._life.count;
    const current = () => !this._isDisposed && life === this._life.count;
    try {
      const value = await this._opened().ask<T>(method, params, now);
      return current() ? value : null;
    } catch (error) {
      if (current()) {
        failed(error instanceof Refused ? error.failure.message || error.failure.code : `${error}`);
      }
      return null;
    }
  }

  private _opened(): IDoor {
    if (!this._door) {
      this._door = this._open();
      this._door.told.connect((_, job) => this._take(job));
    }
    return this._door;
  }

  private _take(job: IJob): void {
    const aside = job.kind === 'versions';
    const known = aside ? this.lookup : this.job;
    if (known && known.id === job.id && known.state !== 'running') {
      return; // a message that was overtaken
    }
    if (aside) {
      this.lookup = job;
      this._changed.emit();
      return;
    }
    this.job = job;
    if (job.state !== 'running') {
      this._afterwards(job);
      this._ended.emit(job);
    }
    this._changed.emit();
  }

  /** What an ended job made out of date is asked for again, if it was ever asked for. */
  private _afterwards(job: IJob): void {
    if (job.kind === 'upgrades') {
      this.upgrades = job.result?.upgrades ?? {};
      return;
    }
    const { outcome, transaction, findings } = job.result ?? {};
    if (findings) {
      this.findings = findings;
    }
    if (job.kind === 'importable') {
      void this.look(true);
    }
    if (outcome?.status === 'done' || transaction) {
      this.lookup = null;
      this.upgrades = null;
      this.findings = findings ?? null; // what was found before is out of date
      if (this.packages) {
        void this.loadPackages();
      }
      void this.loadHistory();
    }
  }

  private _set(state: PanelState): void {
    this.state = state;
    this._changed.emit();
  }

  private _open: () => IDoor;
  private _settings: () => object;
  private _door: IDoor | null = null;
  private _asked: IAsked | null = null;
  private _life: Life;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
  private _ended = new Signal<this, IJob>(this);
}
