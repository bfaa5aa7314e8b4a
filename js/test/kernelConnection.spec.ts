import { Signal } from '@lumino/signaling';
import { vi } from 'vitest';

vi.mock('../src/generated/payload.json', () => ({
  default: { version: '1', digest: 'd', loader: 'def answer(*a):\n    "é"', archive: 'QQ==' }
}));

import { expression, KernelConnection, readReply, REPLY } from '../src/kernelConnection';

/** A request as Lab's future follows it: done when the reply and the word `idle` are there. */
class Future {
  onReply: (reply: any) => void = () => undefined;
  done = new Promise<any>((resolve, reject) => {
    this.resolve = resolve;
    this.dispose = () => reject(new Error('cancelled'));
  });
  resolve!: (reply: any) => void;
  dispose!: () => void;
  constructor() {
    this.done.catch(() => undefined);
  }
}

/** A connection that keeps what is sent; a test says what becomes of it. */
class Connection {
  status = 'idle';
  isDisposed = false;
  username = '';
  clientId = 'mine';
  info = Promise.resolve({});
  iopubMessage = new Signal<this, any>(this);
  clones: Connection[] = [];
  sent: Future[] = [];
  control: Future[] = [];

  clone(): Connection {
    this.clones.push(new Connection());
    return this.clones[this.clones.length - 1];
  }
  sendShellMessage(): Future {
    this.sent.push(new Future());
    return this.sent[this.sent.length - 1];
  }
  /** The control channel of an old kernel: it does not answer what it does not know. */
  sendControlMessage(): Future {
    this.control.push(new Future());
    return this.control[this.control.length - 1];
  }
  dispose(): void {
    this.isDisposed = true;
    [...this.sent, ...this.control].forEach(future => future.dispose());
  }
}

function answered(value: unknown) {
  const data = { [REPLY]: { value } };
  return { content: { status: 'ok', user_expressions: { q: { status: 'ok', data } } } };
}

function opened(status = 'idle') {
  const kernel = new Connection();
  kernel.status = status;
  return { kernel, connection: new KernelConnection(kernel as any) };
}

describe('a kernel connection', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('takes a reply although the word that the kernel is idle was lost', async () => {
    const { kernel, connection } = opened();
    const answer = connection.request('facts');
    kernel.clones[0].sent[0].onReply(answered(7));
    await vi.advanceTimersByTimeAsync(1000);
    expect(await answer).toBe(7);
  });

  it('does not wait for anything when both have come', async () => {
    const { kernel, connection } = opened();
    const answer = connection.request('facts');
    kernel.clones[0].sent[0].resolve(answered(7));
    expect(await answer).toBe(7);
  });

  it.each(['idle', 'unknown'])(
    'says its first words again on another connection to a kernel that is %s',
    async status => {
      const { kernel, connection } = opened(status);
      const answer = connection.request('facts');
      await vi.advanceTimersByTimeAsync(7000);
      expect(kernel.clones).toHaveLength(2);
      kernel.clones[1].sent[0].resolve(answered(7));
      expect(await answer).toBe(7);
      expect(kernel.clones.map(connection => connection.isDisposed)).toEqual([true, false]);
    }
  );

  it('says what changes something once only, even as the first words', async () => {
    const { kernel, connection } = opened();
    const refusal = connection.request('install').catch(error => error.failure.code);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await refusal).toBe('timeout');
    expect(kernel.clones.flatMap(connection => connection.sent)).toHaveLength(1);
  });

  it('lets a user ask a busy kernel beside the first words that still wait for it', async () => {
    const { kernel, connection } = opened('unknown');
    const errors: unknown[] = [];
    const first = connection.request('facts').catch(error => errors.push(error));
    await vi.advanceTimersByTimeAsync(1000);
    const second = connection.request('facts', {}, true).catch(error => errors.push(error));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(errors).toEqual([]);
    kernel.clones.forEach(connection => connection.sent.forEach(sent => sent.resolve(answered(7))));
    expect([await first, await second]).toEqual([7, 7]);
    expect(kernel.clones.filter(connection => !connection.isDisposed)).toHaveLength(1);
  });

  it('starts nothing in a process that came after the one it was meant for', async () => {
    const { kernel, connection } = opened('busy');
    const refusal = connection.request('install', {}, true).catch(error => error.failure.code);
    await vi.advanceTimersByTimeAsync(1000);
    connection.reset(); // while an old kernel lets the question for a subshell lie
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await refusal).toBe('gone');
    expect(kernel.clones.flatMap(connection => connection.sent)).toHaveLength(0);
  });

  it('waits for a cell that runs, and asks only once', async () => {
    const { kernel, connection } = opened('busy');
    const answer = connection.request('facts');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(kernel.clones).toHaveLength(1);
    expect(kernel.clones[0].sent).toHaveLength(1);
    kernel.clones[0].sent[0].resolve(answered(7));
    expect(await answer).toBe(7);
  });

  it('starts nothing twice: later questions are asked once', async () => {
    const { kernel, connection } = opened();
    const facts = connection.request('facts');
    kernel.clones[0].sent[0].resolve(answered(7));
    await facts;
    const refusal = connection.request('install').catch(error => error.failure.code);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await refusal).toBe('timeout');
    expect(kernel.clones[0].sent).toHaveLength(2);
    expect(kernel.clones).toHaveLength(1);
  });

  it('gives up on a kernel that never answers', async () => {
    const { connection } = opened();
    const refusal = connection.request('facts').catch(error => error.failure.code);
    await vi.advanceTimersByTimeAsync(25_000);
    expect(await refusal).toBe('timeout');
  });

  it('ends with the process it asked', async () => {
    const { connection } = opened();
    const ended = connection.request('facts').catch(error => error.message);
    connection.reset();
    expect(await ended).toBe('cancelled');
  });
});

describe('the expression', () => {
  it('is ASCII, and what varies is inside string literals', () => {
    const hostile = { line: `"); __import__('os').system('x') #\n\u2028é😀\\` };
    const text = expression('install', hostile, false);
    expect(text).toMatch(/^[\x20-\x7e]+$/);
    const literals = text.match(/"(?:[^"\\]|\\.)*"/g) as string[];
    const outside = literals.reduce((rest, literal) => rest.replace(literal, ''), text);
    expect(outside).not.toContain('system');
    const question = JSON.parse(JSON.parse(literals[literals.length - 1]));
    expect(question).toEqual({ method: 'install', params: hostile });
  });

  it('carries the archive only when asked to', () => {
    expect(expression('facts', {}, true)).toContain('QQ==');
    expect(expression('facts', {}, false)).not.toContain('QQ==');
  });
});

describe('reading the reply', () => {
  const reply = (q: any, status = 'ok') => readReply({ status, user_expressions: { q } });

  it('returns the value', () => {
    expect(reply({ status: 'ok', data: { [REPLY]: { value: [1] } } })).toEqual({
      kind: 'value',
      value: [1]
    });
  });

  it('sees that the archive is wanted', () => {
    expect(reply({ status: 'ok', data: { [REPLY]: { need: 'archive' } } }).kind).toBe(
      'need-archive'
    );
  });

  it.each([
    ['an exception', { status: 'error', ename: 'NameError', evalue: 'x' }, 'NameError: x'],
    ['nothing of ours', { status: 'ok', data: { 'text/plain': '1' } }, ''],
    ['no expression', undefined, '']
  ])('tells %s as a failure', (_, q, message) => {
    const answer = reply(q);
    expect(answer).toMatchObject({ kind: 'failure', failure: { message } });
  });
});
