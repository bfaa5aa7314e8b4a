/** The only file that talks to a kernel. */
import { Kernel, KernelMessage } from '@jupyterlab/services';
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { Answer, expression, read, Refused } from './question';
import type { IJob } from './tokens';

/** How long an idle kernel may take to answer, in milliseconds. */
const PATIENCE = 15000;
/** How long the first words may take; then they are said again, on another connection. */
const HELLO_PATIENCE = 6000;
/** How long the control channel may take; older kernels never answer what they do not know. */
const CONTROL_PATIENCE = 6000;
/** How long to wait, after a reply, for the word that the kernel is idle: it may be lost. */
const IDLE_PATIENCE = 500;
/** What a kernel that can answer beside a running cell says of itself. */
const SUBSHELLS = 'kernel subshells';

export interface IDoor extends IDisposable {
  /** What the kernel tells about its jobs. */
  readonly told: ISignal<IDoor, IJob>;
  /** Ask; `now` does not wait for a running cell where the kernel can answer beside it. */
  ask<T>(method: string, params?: object, now?: boolean): Promise<T>;
  /** The kernel process is another one: it knows nothing of us. */
  forget(): void;
}

/**
 * A connection of our own to one kernel.
 *
 * On the notebook's connection each question would be counted as a cell by Lab's indicator.
 */
export class KernelDoor implements IDoor {
  constructor(kernel: Kernel.IKernelConnection) {
    this._kernel = kernel;
    this._connection();
  }

  get told(): ISignal<this, IJob> {
    return this._told;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._deleteSubshell();
    Signal.clearData(this);
    this._leave();
    this._own?.dispose();
  }

  forget(): void {
    this._lives += 1;
    this._loaded = false;
    this._subshell = null;
    this._besideWorks = true;
    // The next question connects anew: what is sent while a process dies is lost.
    this._leave();
    this._own?.dispose();
    this._own = null;
  }

  async ask<T>(method: string, params: object = {}, now = false): Promise<T> {
    const life = this._lives;
    this._check(life);
    const beside = now && this._kernel.status !== 'idle' ? await this._besides() : null;
    this._check(life);
    const question = expression(method, params, !this._loaded);
    // Only what changes nothing may be said twice.
    const first = method === 'facts' && !this._loaded && beside === null;
    let answer = await (first ? this._greet(question) : this._send(question, beside));
    this._check(life);
    if (answer.kind === 'need-archive') {
      answer = await this._send(expression(method, params, true), beside);
    }
    if (answer.kind === 'value') {
      this._loaded = true;
      this._leave();
      return answer.value as T;
    }
    throw new Refused(
      answer.kind === 'failure'
        ? answer.failure
        : { code: 'no-answer', message: '', hint: '' }
    );
  }

  /** Stop what was meant for a kernel that is gone, or for the process before this one. */
  private _check(life: number): void {
    if (this._isDisposed || this._kernel.isDisposed || life !== this._lives) {
      throw new Refused({ code: 'gone', message: '', hint: '' });
    }
  }

  private _connected(): Kernel.IKernelConnection {
    const own = this._kernel.clone();
    own.iopubMessage.connect(this._listen, this);
    // A busy kernel tells this late: then it is tried out.
    void own.info
      .then(info => {
        const features: string[] = (info as any).supported_features ?? [];
        this._besideWorks = features.includes(SUBSHELLS);
      })
      .catch(() => undefined);
    return own;
  }

  private _connection(): Kernel.IKernelConnection {
    return (this._own ??= this._connected());
  }

  /** Say the first words: a server that is busy may lose what a new connection says or hears. */
  private async _greet(q: string): Promise<Answer> {
    const own = this._connection();
    try {
      return await this._send(q, null, HELLO_PATIENCE);
    } catch (error) {
      if (!(error instanceof Refused) || error.failure.code !== 'timeout') {
        throw error;
      }
      if (own === this._own) {
        // Others may still wait for an answer there.
        own.iopubMessage.disconnect(this._listen, this);
        this._left.push(own);
        this._own = null;
      }
      return this._send(q, null);
    }
  }

  /** Drop the connections on which the first words were lost. */
  private _leave(): void {
    this._left.splice(0).forEach(connection => connection.dispose());
  }

  private async _send(q: string, subshell: string | null, patience = PATIENCE): Promise<Answer> {
    const own = this._connection();
    const msg = KernelMessage.createMessage<KernelMessage.IExecuteRequestMsg>({
      msgType: 'execute_request',
      channel: 'shell',
      username: own.username,
      session: own.clientId,
      content: {
        code: '',
        silent: true,
        store_history: false,
        allow_stdin: false,
        stop_on_error: false,
        user_expressions: { q }
      }
    });
    if (subshell !== null) {
      (msg.header as any).subshell_id = subshell;
    }
    const future = own.sendShellMessage(msg, true, true);
    try {
      const reply = await this._bounded(replied(future), subshell !== null, patience);
      return read((reply as KernelMessage.IExecuteReplyMsg).content);
    } finally {
      future.dispose();
    }
  }

  /** Wait while the kernel works on something else, but not for a kernel that has nothing to do. */
  private _bounded<T>(answer: Promise<T>, beside: boolean, patience: number): Promise<T> {
    // Nothing is known of a kernel whose answer to the first words was lost.
    const quiet = patience === HELLO_PATIENCE ? ['idle', 'unknown'] : ['idle'];
    return new Promise((resolve, reject) => {
      const late = () => {
        if (this._isDisposed) {
          reject(new Refused({ code: 'gone', message: '', hint: '' }));
        } else if (!beside && !quiet.includes(this._kernel.status)) {
          timer = setTimeout(late, patience);
        } else {
          reject(new Refused({ code: 'timeout', message: '', hint: '' }));
        }
      };
      let timer = setTimeout(late, patience);
      answer.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  /** Return the id of a subshell of ours, or null where the kernel has none. */
  private async _besides(): Promise<string | null> {
    if (this._subshell === null && this._besideWorks) {
      const content = await this._control('create_subshell_request', {});
      this._subshell = content?.subshell_id ?? null;
      this._besideWorks = this._subshell !== null;
    }
    return this._subshell;
  }

  private async _control(msgType: string, content: object): Promise<any> {
    const own = this._connection();
    const msg = KernelMessage.createMessage({
      msgType: msgType as any,
      channel: 'control',
      username: own.username,
      session: own.clientId,
      content: content as any
    });
    const future = own.sendControlMessage(msg as any, true, true);
    const late = new Promise(resolve => setTimeout(resolve, CONTROL_PATIENCE, null));
    const reply: any = await Promise.race([replied(future), late]).catch(() => null);
    future.dispose();
    return reply?.content?.status === 'ok' ? reply.content : null;
  }

  private _deleteSubshell(): void {
    const own = this._own;
    if (this._subshell !== null && own && !own.isDisposed) {
      const msg = KernelMessage.createMessage({
        msgType: 'delete_subshell_request' as any,
        channel: 'control',
        username: own.username,
        session: own.clientId,
        content: { subshell_id: this._subshell } as any
      });
      own.sendControlMessage(msg as any, false, true).done.catch(() => undefined);
    }
  }

  private _listen(_: Kernel.IKernelConnection, msg: KernelMessage.IIOPubMessage): void {
    if (msg.header.msg_type === 'comm_msg') {
      const job = (msg.content as any)?.data?.safeinstall;
      if (job && typeof job.id === 'string') {
        this._told.emit(job as IJob);
      }
    }
  }

  private _kernel: Kernel.IKernelConnection;
  private _own: Kernel.IKernelConnection | null = null;
  private _left: Kernel.IKernelConnection[] = [];
  private _told = new Signal<this, IJob>(this);
  /** How many processes came before this one. */
  private _lives = 0;
  private _loaded = false;
  private _subshell: string | null = null;
  private _besideWorks = true;
  private _isDisposed = false;
}

/**
 * Return the reply, with or without the kernel's word that it is idle again.
 *
 * A server that sees a kernel busy opens a connection before it hears all that the kernel tells:
 * Lab would wait for that word for ever.
 */
function replied<M extends KernelMessage.IShellControlMessage>(future: {
  readonly done: Promise<M>;
  onReply: (msg: M) => void;
}): Promise<M> {
  return new Promise((resolve, reject) => {
    future.done.then(resolve, reject);
    future.onReply = reply => {
      setTimeout(resolve, IDLE_PATIENCE, reply);
    };
  });
}
