/** Everything known about one kernel: kept per process of the kernel, gone when it restarts. */
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { IKernelConnection, RequestError } from './kernelConnection';
import { IKernel, KernelLifecycle } from './kernelLifecycle';
import type {
  ICells,
  IFacts,
  IFinding,
  IJob,
  IPackage,
  ITransaction,
  IWays,
  PanelState
} from './tokens';

/** A request that started the job `id`. */
export interface IJobRequest {
  id: string;
  method: string;
  params: { [name: string]: unknown };
}

export class KernelSession implements IDisposable {
  constructor(kernel: IKernel, open: () => IKernelConnection, settings: () => object) {
    this.kernel = kernel;
    this._open = open;
    this._settings = settings;
    kernel.disposed.connect(this.dispose, this);
    this._lifecycle = new KernelLifecycle(kernel, {
      state: () => this.state,
      onPython: () => void this._connect(), // a job that another page has started is heard of at once
      onReady: () => void this.loadFacts(),
      onProcessGone: () => this._onProcessGone(),
      setState: state => this._setState(state)
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
  cellsNotebook: object | null = null;
  history: ITransaction[] | null = null;
  /** Damage, as far as somebody has had it looked for. */
  findings: IFinding[] | null = null;
  /** What the magics of this process have shown, by id. */
  outcomes = new Set<string>();
  /** What went wrong with the last request. */
  error = '';

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
    this._lifecycle.dispose();
    this.kernel.disposed.disconnect(this.dispose, this);
    this._connection?.dispose();
    this._changed.emit();
    Signal.clearData(this);
  }

  /** Ask for the facts: once when the kernel is first idle, and when the user wants it. */
  async loadFacts(now = false): Promise<void> {
    const facts = await this.request<IFacts>('facts', this._settings(), now, message => {
      if (this.state.kind !== 'ready') {
        this._setState({ kind: 'failed', message });
      }
    });
    if (facts) {
      facts.outcomes?.forEach(id => this.outcomes.add(id)); // an older kernel side knows none
      this._setState({ kind: 'ready', facts });
      const running = facts.jobs.find(job => job.state === 'running');
      if (running) {
        this._onJob(running);
      }
    }
  }

  /** What this page asked for, when that is the job that is shown. */
  get shownRequest(): IJobRequest | null {
    return this._request?.id === this.job?.id ? this._request : null;
  }

  /** Start a job and return it; its progress and its end come by themselves. */
  async start(method: string, params: IJobRequest['params']): Promise<IJob | null> {
    this.error = '';
    const job = await this.request<IJob>(method, params);
    if (job) {
      this._request = { id: job.id, method, params };
      this._onJob(job);
    }
    return job;
  }

  /** Do what is shown, now that it was seen. */
  async confirm(): Promise<IJob | null> {
    if (!this.shownRequest) {
      return null;
    }
    const { method, params } = this.shownRequest;
    const answer = this.job?.result?.confirm ?? { confirmed: true };
    return this.start(method, { ...params, ...answer });
  }

  /** Return what can be done about an outcome, null where this process has not shown it. */
  async waysOf(id: string): Promise<IWays | null> {
    const answer = await this.request<{ made: IWays | null }>('outcome', { id });
    if (answer && !answer.made) {
      this.outcomes.delete(id);
      this._changed.emit();
    }
    return answer?.made ?? null;
  }

  /** Look up the versions of what is being typed; the answer comes by itself, or never. */
  async lookUpVersions(line: string, cursor: number): Promise<void> {
    const job = await this.request<IJob>('versions', { line, cursor }, true, () => undefined);
    if (job) {
      this._onJob(job);
    }
  }

  async cancel(): Promise<void> {
    if (this.job?.state === 'running') {
      const job = await this.request<IJob | null>('cancel', { id: this.job.id });
      if (job) {
        this._onJob(job);
      }
    }
  }

  /** Show what came of a job of another kernel, which led here. */
  showJob(job: IJob): void {
    if (!this.job) {
      this.job = job;
      this._changed.emit();
    }
  }

  /** Put the last job's result away. */
  clear(): void {
    if (!this.working) {
      this.job = null;
      this.error = '';
      this._changed.emit();
    }
  }

  async loadPackages(): Promise<void> {
    const packages = await this.request<IPackage[]>('packages', {});
    if (packages) {
      this.packages = packages;
      this._changed.emit();
    }
  }

  async loadHistory(): Promise<void> {
    const history = await this.request<ITransaction[]>('history', {});
    if (history) {
      this.history = history;
      this._changed.emit();
    }
  }

  /** Show what the cells of a notebook need; it may not be the only one on this kernel. */
  showCells(cells: ICells | null, notebook: object | null): void {
    this.cells = cells;
    this.cellsNotebook = notebook;
    this._changed.emit();
  }

  /** Return the answer, or null when there is none: then `onError` has been told why. */
  async request<T>(
    method: string,
    params: object,
    now = true,
    onError: (message: string) => void = message => {
      this.error = message;
      this._changed.emit();
    }
  ): Promise<T | null> {
    const restarts = this._lifecycle.restarts;
    const current = () => !this._isDisposed && restarts === this._lifecycle.restarts;
    try {
      const value = await this._connect().request<T>(method, params, now);
      return current() ? value : null;
    } catch (error) {
      if (current()) {
        onError(
          error instanceof RequestError ? error.failure.message || error.failure.code : `${error}`
        );
      }
      return null;
    }
  }

  /** The process is gone: whatever it still answers is about nothing. */
  private _onProcessGone(): void {
    this._connection?.reset();
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
    this.outcomes.clear();
  }

  private _connect(): IKernelConnection {
    if (!this._connection) {
      this._connection = this._open();
      this._connection.jobChanged.connect((_, job) => this._onJob(job));
      this._connection.outcomeShown.connect((_, id) => {
        this.outcomes.add(id);
        this._changed.emit();
      });
    }
    return this._connection;
  }

  private _onJob(job: IJob): void {
    const isLookup = job.kind === 'versions';
    const known = isLookup ? this.lookup : this.job;
    const overtaken = known?.id === job.id && known.state !== 'running';
    if (overtaken || (job.state === 'running' && job.id === this._lastEnded)) {
      return; // what became of it was heard before, and may have been put away since
    }
    if (isLookup) {
      this.lookup = job;
      this._changed.emit();
      return;
    }
    this.job = job;
    if (job.state !== 'running') {
      this._lastEnded = job.id;
      this._onJobEnded(job);
      this._ended.emit(job);
    }
    this._changed.emit();
  }

  /** What an ended job made out of date is asked for again, if it was ever asked for. */
  private _onJobEnded(job: IJob): void {
    if (job.kind === 'upgrades') {
      this.upgrades = job.result?.upgrades ?? {};
      return;
    }
    const { outcome, transaction, findings } = job.result ?? {};
    if (findings) {
      this.findings = findings;
    }
    if (job.kind === 'importable') {
      void this.loadFacts(true);
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

  private _setState(state: PanelState): void {
    this.state = state;
    this._changed.emit();
  }

  private _open: () => IKernelConnection;
  private _settings: () => object;
  private _connection: IKernelConnection | null = null;
  private _request: IJobRequest | null = null;
  private _lastEnded = '';
  private _lifecycle: KernelLifecycle;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
  private _ended = new Signal<this, IJob>(this);
}
