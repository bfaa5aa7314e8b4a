/** The life cycle of one kernel: its process starts, works, ends and starts again. When is it asked? */
import { Kernel } from '@jupyterlab/services';
import { IDisposable } from '@lumino/disposable';
import { ISignal } from '@lumino/signaling';

import type { PanelState } from './tokens';

/** So long a kernel of which nothing is heard is left alone, in milliseconds; then it is asked. */
const SILENCE_TIMEOUT = 2000;

/** What is needed of a kernel connection: less than Lab's interface, so that tests can fake it. */
export interface IKernel {
  readonly id: string;
  readonly status: Kernel.Status;
  readonly isDisposed: boolean;
  readonly spec: Promise<{ language: string } | undefined>;
  readonly statusChanged: ISignal<any, Kernel.Status>;
  readonly disposed: ISignal<any, void>;
}

/** What is done when the process of a kernel comes and goes. */
export interface ILifecycleHandler {
  state(): PanelState;
  /** The kernel is a Python. */
  onPython(): void;
  /** The process may be asked: once. */
  onReady(): void;
  /** The process is gone. */
  onProcessGone(): void;
  setState(state: PanelState): void;
}

export class KernelLifecycle implements IDisposable {
  constructor(kernel: IKernel, handler: ILifecycleHandler) {
    this._kernel = kernel;
    this._handler = handler;
    kernel.statusChanged.connect(this._onStatus, this);
    void this._start();
  }

  /** The number of processes this kernel has had before. */
  restarts = 0;

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._silenceTimer);
    this._kernel.statusChanged.disconnect(this._onStatus, this);
  }

  private async _start(): Promise<void> {
    const spec = await this._kernel.spec.catch(() => undefined);
    if (this._isDisposed) {
      return;
    }
    this._language = spec?.language?.toLowerCase() ?? 'python';
    if (this._language === 'python') {
      this._handler.onPython();
    }
    this._onStatus(this._kernel, this._kernel.status);
  }

  private _onStatus(_: unknown, status: Kernel.Status): void {
    if (this._language === '') {
      return;
    }
    const handler = this._handler;
    if (this._language !== 'python') {
      handler.setState({ kind: 'not-python', language: this._language });
    } else if (status === 'restarting' || status === 'autorestarting') {
      this._onProcessGone({ kind: 'starting' });
      // Of a kernel that was started again by itself Lab hears no more until it is asked something.
      this._askAfterSilence();
    } else if (status === 'dead' || status === 'terminating') {
      this._onProcessGone({ kind: 'dead' });
    } else if (status === 'idle') {
      this._askOnce();
    } else if (
      this.restarts > 0 &&
      !this._asked &&
      (status === 'starting' || status === 'unknown')
    ) {
      handler.setState({ kind: 'starting' });
    } else if ((status === 'busy' || status === 'unknown') && handler.state().kind === 'starting') {
      handler.setState({ kind: 'busy' });
    }
    if (status === 'unknown' && this._language === 'python' && !this._asked) {
      // It works on something since before this page, or a gateway has lost its first words: the
      // question waits for its turn, and is answered either way.
      this._askAfterSilence();
    }
  }

  private _askAfterSilence(): void {
    clearTimeout(this._silenceTimer);
    this._silenceTimer = setTimeout(() => this._askOnce(), SILENCE_TIMEOUT);
  }

  private _askOnce(): void {
    const status = this._kernel.status;
    if (!this._asked && !this._isDisposed && status !== 'dead' && status !== 'busy') {
      this._asked = true;
      this._handler.onReady();
    }
  }

  private _onProcessGone(state: PanelState): void {
    clearTimeout(this._silenceTimer);
    this.restarts += 1;
    this._asked = false;
    this._handler.onProcessGone();
    this._handler.setState(state);
  }

  private _kernel: IKernel;
  private _handler: ILifecycleHandler;
  private _language = '';
  private _asked = false;
  private _silenceTimer: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}
