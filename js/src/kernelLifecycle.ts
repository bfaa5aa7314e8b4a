/** The lives of one kernel: its process starts, works, ends and starts again; when is it asked? */
import { Kernel } from '@jupyterlab/services';
import { IDisposable } from '@lumino/disposable';
import { ISignal } from '@lumino/signaling';

import type { PanelState } from './tokens';

/** So long a kernel of which nothing is heard is left alone, in milliseconds; then it is asked. */
const SILENCE = 2000;

/** What is needed of a kernel connection: less than Lab's interface, so that tests can fake it. */
export interface IKernel {
  readonly id: string;
  readonly status: Kernel.Status;
  readonly isDisposed: boolean;
  readonly spec: Promise<{ language: string } | undefined>;
  readonly statusChanged: ISignal<any, Kernel.Status>;
  readonly disposed: ISignal<any, void>;
}

/** Whoever follows a kernel. */
export interface IFollower {
  readonly state: PanelState;
  /** The kernel is a Python. */
  meet(): void;
  /** The process may be asked: once in its life. */
  ask(): void;
  /** The process is gone. */
  forget(): void;
  show(state: PanelState): void;
}

export class Life implements IDisposable {
  constructor(kernel: IKernel, follower: IFollower) {
    this._kernel = kernel;
    this._follower = follower;
    kernel.statusChanged.connect(this._onStatus, this);
    void this._begin();
  }

  /** The number of processes this kernel has had before. */
  count = 0;

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._silence);
    this._kernel.statusChanged.disconnect(this._onStatus, this);
  }

  private async _begin(): Promise<void> {
    const spec = await this._kernel.spec.catch(() => undefined);
    if (this._isDisposed) {
      return;
    }
    this._language = spec?.language?.toLowerCase() ?? 'python';
    if (this._language === 'python') {
      this._follower.meet();
    }
    this._onStatus(this._kernel, this._kernel.status);
  }

  private _onStatus(_: unknown, status: Kernel.Status): void {
    if (this._language === '') {
      return;
    }
    const follower = this._follower;
    if (this._language !== 'python') {
      follower.show({ kind: 'not-python', language: this._language });
    } else if (status === 'restarting' || status === 'autorestarting') {
      this._end({ kind: 'starting' });
      // Of a kernel that was started again by itself Lab hears no more until it is asked something.
      this._listen();
    } else if (status === 'dead' || status === 'terminating') {
      this._end({ kind: 'dead' });
    } else if (status === 'idle') {
      this._askOnce();
    } else if (this.count > 0 && !this._asked && (status === 'starting' || status === 'unknown')) {
      follower.show({ kind: 'starting' });
    } else if ((status === 'busy' || status === 'unknown') && follower.state.kind === 'starting') {
      follower.show({ kind: 'busy' });
    }
    if (status === 'unknown' && this._language === 'python' && !this._asked) {
      // It works on something since before this page, or a gateway has lost its first words: the
      // question waits for its turn, and is answered either way.
      this._listen();
    }
  }

  private _listen(): void {
    clearTimeout(this._silence);
    this._silence = setTimeout(() => this._askOnce(), SILENCE);
  }

  private _askOnce(): void {
    const status = this._kernel.status;
    if (!this._asked && !this._isDisposed && status !== 'dead' && status !== 'busy') {
      this._asked = true;
      this._follower.ask();
    }
  }

  private _end(state: PanelState): void {
    clearTimeout(this._silence);
    this.count += 1;
    this._asked = false;
    this._follower.forget();
    this._follower.show(state);
  }

  private _kernel: IKernel;
  private _follower: IFollower;
  private _language = '';
  private _asked = false;
  private _silence: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}
