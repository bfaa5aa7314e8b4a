/** The only file that talks to a kernel. */
import { Kernel, KernelMessage } from '@jupyterlab/services';
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import payload from './generated/payload.json';
import { IFailure, IJob, OUTCOME } from './tokens';

export const REPLY = 'application/vnd.safeinstall.reply+json';

/** How long an idle kernel may take to answer, in milliseconds. */
const REPLY_TIMEOUT = 15000;
/** How long the first words may take; then they are said again, on another connection. */
const FIRST_REPLY_TIMEOUT = 6000;
/** How long the control channel may take; older kernels never answer what they do not know. */
const CONTROL_TIMEOUT = 6000;
/** How long to wait, after a reply, for the word that the kernel is idle: it may be lost. */
const IDLE_TIMEOUT = 500;
/** What a kernel that can answer beside a running cell says of itself. */
const SUBSHELLS = 'kernel subshells';

/** The kernel answered, but not with what was asked for. */
export class RequestError extends Error {
  constructor(readonly failure: IFailure) {
    super(failure.message);
  }
}

export interface IKernelConnection extends IDisposable {
  /** What the kernel tells about its jobs. */
  readonly jobChanged: ISignal<IKernelConnection, IJob>;
  /** The id of an outcome that a cell has just shown. */
  readonly outcomeShown: ISignal<IKernelConnection, string>;
  /** Ask; `now` does not wait for a running cell where the kernel can answer beside it. */
  request<T>(method: string, params?: object, now?: boolean): Promise<T>;
  /** The kernel process is another one: it knows nothing of us. */
  reset(): void;
}

/**
 * A connection of our own to one kernel.
 *
 * On the notebook's connection each question would be counted as a cell by Lab's indicator.
 */
export class KernelConnection implements IKernelConnection {
  constructor(kernel: Kernel.IKernelConnection) {
    this._kernel = kernel;
    this._connection();
  }

  get jobChanged(): ISignal<this, IJob> {
    return this._jobChanged;
  }

  get outcomeShown(): ISignal<this, string> {
    return this._outcomeShown;
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
    this._disposeAbandoned();
    this._own?.dispose();
  }

  reset(): void {
    this._restarts += 1;
    this._loaded = false;
    this._subshell = null;
    this._hasSubshells = true;
    // The next question connects anew: what is sent while a process dies is lost.
    this._disposeAbandoned();
    this._own?.dispose();
    this._own = null;
  }

  async request<T>(method: string, params: object = {}, now = false): Promise<T> {
    const restarts = this._restarts;
    this._ensureCurrent(restarts);
    const subshell = now && this._kernel.status !== 'idle' ? await this._subshellId() : null;
    this._ensureCurrent(restarts);
    const code = expression(method, params, !this._loaded);
    // Only what changes nothing may be said twice.
    const isFirst = method === 'facts' && !this._loaded && subshell === null;
    let reply = await (isFirst ? this._sendFirst(code) : this._send(code, subshell));
    this._ensureCurrent(restarts);
    if (reply.kind === 'need-archive') {
      reply = await this._send(expression(method, params, true), subshell);
    }
    if (reply.kind === 'value') {
      this._loaded = true;
      this._disposeAbandoned();
      return reply.value as T;
    }
    throw new RequestError(
      reply.kind === 'failure' ? reply.failure : { code: 'no-answer', message: '', hint: '' }
    );
  }

  /** Stop what was meant for a kernel that is gone, or for the process before this one. */
  private _ensureCurrent(restarts: number): void {
    if (this._isDisposed || this._kernel.isDisposed || restarts !== this._restarts) {
      throw new RequestError({ code: 'gone', message: '', hint: '' });
    }
  }

  private _connected(): Kernel.IKernelConnection {
    const own = this._kernel.clone();
    own.iopubMessage.connect(this._onIOPub, this);
    // A busy kernel tells this late: then it is tried out.
    void own.info
      .then(info => {
        const features: string[] = (info as any).supported_features ?? [];
        this._hasSubshells = features.includes(SUBSHELLS);
      })
      .catch(() => undefined);
    return own;
  }

  private _connection(): Kernel.IKernelConnection {
    return (this._own ??= this._connected());
  }

  /** Say the first words: a server that is busy may lose what a new connection says or hears. */
  private async _sendFirst(code: string): Promise<Reply> {
    const own = this._connection();
    try {
      return await this._send(code, null, FIRST_REPLY_TIMEOUT);
    } catch (error) {
      if (!(error instanceof RequestError) || error.failure.code !== 'timeout') {
        throw error;
      }
      if (own === this._own) {
        // Others may still wait for an answer there.
        own.iopubMessage.disconnect(this._onIOPub, this);
        this._abandoned.push(own);
        this._own = null;
      }
      return this._send(code, null);
    }
  }

  /** Drop the connections on which the first words were lost. */
  private _disposeAbandoned(): void {
    this._abandoned.splice(0).forEach(connection => connection.dispose());
  }

  private async _send(
    code: string,
    subshell: string | null,
    timeout = REPLY_TIMEOUT
  ): Promise<Reply> {
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
        user_expressions: { q: code }
      }
    });
    if (subshell !== null) {
      (msg.header as any).subshell_id = subshell;
    }
    const future = own.sendShellMessage(msg, true, true);
    try {
      const reply = await this._bounded(replyOf(future), subshell !== null, timeout);
      return readReply((reply as KernelMessage.IExecuteReplyMsg).content);
    } finally {
      future.dispose();
    }
  }

  /** Wait while the kernel works on something else, but not for a kernel that has nothing to do. */
  private _bounded<T>(reply: Promise<T>, inSubshell: boolean, timeout: number): Promise<T> {
    // Nothing is known of a kernel whose answer to the first words was lost.
    const quiet = timeout === FIRST_REPLY_TIMEOUT ? ['idle', 'unknown'] : ['idle'];
    return new Promise((resolve, reject) => {
      const late = () => {
        if (this._isDisposed) {
          reject(new RequestError({ code: 'gone', message: '', hint: '' }));
        } else if (!inSubshell && !quiet.includes(this._kernel.status)) {
          timer = setTimeout(late, timeout);
        } else {
          reject(new RequestError({ code: 'timeout', message: '', hint: '' }));
        }
      };
      let timer = setTimeout(late, timeout);
      reply.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  /** Return the id of a subshell of ours, or null where the kernel has none. */
  private async _subshellId(): Promise<string | null> {
    if (this._subshell === null && this._hasSubshells) {
      const content = await this._control('create_subshell_request', {});
      this._subshell = content?.subshell_id ?? null;
      this._hasSubshells = this._subshell !== null;
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
    const late = new Promise(resolve => setTimeout(resolve, CONTROL_TIMEOUT, null));
    const reply: any = await Promise.race([replyOf(future), late]).catch(() => null);
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

  private _onIOPub(_: Kernel.IKernelConnection, msg: KernelMessage.IIOPubMessage): void {
    if (msg.header.msg_type === 'comm_msg') {
      const job = (msg.content as any)?.data?.safeinstall;
      if (job && typeof job.id === 'string') {
        this._jobChanged.emit(job as IJob);
      }
    }
    const id = (msg.content as any)?.data?.[OUTCOME]?.id;
    if (typeof id === 'string') {
      this._outcomeShown.emit(id);
    }
  }

  private _kernel: Kernel.IKernelConnection;
  private _own: Kernel.IKernelConnection | null = null;
  private _abandoned: Kernel.IKernelConnection[] = [];
  private _jobChanged = new Signal<this, IJob>(this);
  private _outcomeShown = new Signal<this, string>(this);
  /** How many processes came before this one. */
  private _restarts = 0;
  private _loaded = false;
  private _subshell: string | null = null;
  private _hasSubshells = true;
  private _isDisposed = false;
}

/**
 * Return the reply, with or without the kernel's word that it is idle again.
 *
 * A server that sees a kernel busy opens a connection before it hears all that the kernel tells:
 * Lab would wait for that word for ever.
 */
function replyOf<M extends KernelMessage.IShellControlMessage>(future: {
  readonly done: Promise<M>;
  onReply: (msg: M) => void;
}): Promise<M> {
  return new Promise((resolve, reject) => {
    future.done.then(resolve, reject);
    future.onReply = reply => {
      setTimeout(resolve, IDLE_TIMEOUT, reply);
    };
  });
}

/**
 * Return an expression that answers `method`. Fixed code: what varies is JSON in a string literal.
 *
 * It names nothing of the user's, so that no name of theirs can get in its way, and it leaves
 * nothing in their namespace.
 */
export function expression(method: string, params: object, withArchive: boolean): string {
  const values = [
    payload.version,
    payload.digest,
    withArchive ? payload.archive : '',
    ascii(JSON.stringify({ method, params }))
  ];
  const loader = literal(ascii(payload.loader));
  return (
    '(lambda b: (lambda d: (b.exec(' +
    loader +
    ", d), d['answer'](" +
    values.map(literal).join(', ') +
    "))[1])({'__name__': '_safeinstall_loader'}))(__import__('builtins'))"
  );
}

export type Reply =
  | { kind: 'value'; value: unknown }
  | { kind: 'need-archive' }
  | { kind: 'failure'; failure: IFailure };

/** Read the reply to a silent request whose one user expression is called `q`. */
export function readReply(content: unknown): Reply {
  const reply = content as {
    status?: string;
    ename?: string;
    evalue?: string;
    user_expressions?: { [name: string]: any };
  };
  const answer = reply.user_expressions?.q;
  if (reply.status !== 'ok' || !answer || answer.status !== 'ok') {
    const source = answer?.status === 'error' ? answer : reply;
    return failure('no-answer', [source.ename, source.evalue].filter(Boolean).join(': '));
  }
  const data = answer.data?.[REPLY];
  if (!data || typeof data !== 'object') {
    return failure('no-answer', '');
  }
  if (data.need === 'archive') {
    return { kind: 'need-archive' };
  }
  if (data.error) {
    return { kind: 'failure', failure: data.error as IFailure };
  }
  return { kind: 'value', value: data.value };
}

function failure(code: string, message: string): Reply {
  return { kind: 'failure', failure: { code, message, hint: '' } };
}

/** A JSON string of ASCII characters is a Python string literal too. */
function literal(text: string): string {
  return JSON.stringify(text);
}

/** Write what is not ASCII as JSON escapes (inside JSON, or inside Python comments and strings). */
function ascii(text: string): string {
  return text.replace(
    /[\u007f-\uffff]/g,
    char => '\\u' + char.charCodeAt(0).toString(16).padStart(4, '0')
  );
}
