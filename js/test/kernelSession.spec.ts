import { vi } from 'vitest';

import { facts, job, settled } from './fakes';
import { readySession, startingSession } from './sessions';

describe('a kernel session', () => {
  it('asks once when the kernel is first idle, and never again by itself', async () => {
    const { kernel, connection, session } = startingSession();
    await settled();
    expect(session.state.kind).toBe('starting');
    expect(connection.requests).toHaveLength(0);
    kernel.is('idle');
    expect(connection.requests.map(request => request.method)).toEqual(['facts']);
    await connection.last.answer(facts());
    expect(session.facts?.label).toBe('~/proj/.venv');
    for (const status of ['busy', 'idle', 'busy', 'idle']) {
      kernel.is(status);
    }
    expect(connection.requests).toHaveLength(1);
  });

  it('does not disturb a busy kernel until the user wants it', async () => {
    const { kernel, connection, session } = startingSession();
    await settled();
    kernel.is('busy');
    expect(session.state.kind).toBe('busy');
    expect(connection.requests).toHaveLength(0);
    void session.loadFacts(true);
    expect(connection.last.now).toBe(true);
    await connection.last.answer(facts());
    expect(session.state.kind).toBe('ready');
  });

  it('does not show again as running what had ended, and was put away, before it was answered', async () => {
    const { connection, session } = await readySession();
    void session.start('install', { line: 'pandas' });
    connection.jobChanged.emit(job({ id: 'quick', state: 'ended', result: {} }));
    session.clear();
    await connection.last.answer(job({ id: 'quick', state: 'running' }));
    expect(session.working).toBe(false);
    expect(session.job).toBeNull();
  });

  it('drops a reply of the process before a restart', async () => {
    const { kernel, connection, session } = startingSession();
    await settled();
    kernel.is('idle');
    const old = connection.last;
    kernel.is('restarting');
    expect(connection.resets).toBe(1);
    kernel.is('idle');
    await old.answer(facts({ label: 'old' }));
    expect(session.state.kind).toBe('starting');
    await connection.last.answer(facts({ label: 'new' }));
    expect(session.facts?.label).toBe('new');
  });

  it.each([['starting'], []])(
    'asks a kernel that was started again by itself, of which no more is heard than %s',
    async (...heard) => {
      const { kernel, connection, session } = await readySession();
      vi.useFakeTimers();
      for (const status of ['restarting', 'autorestarting', 'unknown', ...heard]) {
        kernel.is(status);
      }
      expect(session.state.kind).toBe('starting');
      expect(connection.requests).toHaveLength(1);
      vi.advanceTimersByTime(2500);
      vi.useRealTimers();
      expect(connection.requests).toHaveLength(2);
      await connection.last.answer(facts({ name: 'second life' }));
      kernel.is('idle');
      expect(connection.requests).toHaveLength(2);
      expect(session.facts?.name).toBe('second life');
    }
  );

  it('asks a kernel of which nothing is heard, and lets a busy one be', async () => {
    const { kernel, connection, session } = startingSession();
    await settled();
    vi.useFakeTimers();
    kernel.is('unknown');
    expect(session.state.kind).toBe('busy');
    vi.advanceTimersByTime(1500);
    kernel.is('busy');
    vi.advanceTimersByTime(5000);
    expect(connection.requests).toHaveLength(0);
    kernel.is('unknown');
    vi.advanceTimersByTime(2500);
    vi.useRealTimers();
    expect(connection.requests.map(request => request.now)).toEqual([false]);
    kernel.is('idle');
    expect(connection.requests).toHaveLength(1);
    await connection.last.answer(facts());
    expect(session.state.kind).toBe('ready');
  });

  it('asks once only when a restarted kernel is heard to be idle', async () => {
    const { kernel, connection } = await readySession();
    vi.useFakeTimers();
    for (const status of ['restarting', 'starting', 'busy', 'idle']) {
      kernel.is(status);
    }
    expect(connection.requests).toHaveLength(2);
    vi.advanceTimersByTime(5000);
    vi.useRealTimers();
    expect(connection.requests).toHaveLength(2);
  });

  it('drops a reply after the kernel is gone', async () => {
    const { kernel, connection, session } = startingSession();
    await settled();
    kernel.is('idle');
    session.dispose();
    expect(connection.isDisposed).toBe(true);
    await connection.last.answer(facts());
    expect(session.facts).toBeNull();
  });

  it('says that an install was cut off by a restart', async () => {
    const { kernel, connection, session } = await readySession();
    void session.start('install', { line: 'pandas' });
    await connection.last.answer(job());
    expect(session.working).toBe(true);
    kernel.is('restarting');
    expect(session.working).toBe(false);
    expect(session.job?.result?.error?.code).toBe('kernel-gone');
  });

  it('asks for no second restart: what was said of one is put away by it', async () => {
    const { kernel, connection, session } = await readySession();
    for (const [restart, left] of [
      ['needed', undefined],
      ['none', 'done']
    ] as const) {
      const outcome: any = { status: 'done', plan: { changes: [] }, findings: [], restart };
      connection.jobChanged.emit(job({ id: 'done', state: 'ended', result: { outcome } }));
      kernel.is('restarting');
      expect(session.job?.id).toBe(left);
    }
  });

  it('takes no message that was overtaken by the end of its job', async () => {
    const { connection, session } = await readySession();
    void session.start('install', { line: 'pandas' });
    await settled();
    connection.jobChanged.emit(job({ state: 'ended', result: { upgrades: {} } }));
    await connection.last.answer(job());
    expect(session.job?.state).toBe('ended');
  });

  it('finds a running job again after the page was reloaded', async () => {
    const { kernel, connection, session } = startingSession();
    await settled();
    kernel.is('idle');
    await connection.last.answer(facts({ jobs: [job({ words: 'unpacking 4' })] }));
    expect(session.job?.words).toBe('unpacking 4');
  });

  it('asks nothing of a kernel that is not Python', async () => {
    const { kernel, connection, session } = startingSession('R');
    await settled();
    kernel.is('idle');
    expect(session.state).toEqual({ kind: 'not-python', language: 'r' });
    expect(connection.requests).toHaveLength(0);
  });

  it('keeps what it knows when a later question fails', async () => {
    const { connection, session } = await readySession();
    void session.loadPackages();
    await connection.last.refuse('no disk');
    expect(session.state.kind).toBe('ready');
    expect(session.error).toBe('no disk');
    void session.loadFacts(true);
    await connection.last.refuse('timeout');
    expect(session.state.kind).toBe('ready');
  });

  it('fails in words when the first question fails', async () => {
    const { kernel, connection, session } = startingSession();
    await settled();
    kernel.is('idle');
    await connection.last.refuse('ImportError: x');
    expect(session.state).toEqual({ kind: 'failed', message: 'ImportError: x' });
  });

  it('reads the lists again that an install made out of date', async () => {
    const { connection, session } = await readySession();
    void session.loadPackages();
    await connection.last.answer([]);
    connection.requests.length = 0;
    const outcome: any = { status: 'done', plan: { changes: [] }, findings: [] };
    connection.jobChanged.emit(job({ id: '1-2', state: 'ended', result: { outcome } }));
    expect(connection.requests.map(request => request.method).sort()).toEqual([
      'history',
      'packages'
    ]);
    expect(session.working).toBe(false);
  });

  it('keeps the damage it was told of until something is changed', async () => {
    const { connection, session } = await readySession();
    const finding: any = { code: 'leftover', severity: 'warning', message: 'm', context: '' };
    connection.jobChanged.emit(
      job({ id: 'e', kind: 'examine', state: 'ended', result: { findings: [finding] } })
    );
    expect(session.findings).toEqual([finding]);
    const outcome: any = { status: 'done', plan: { changes: [] }, findings: [] };
    connection.jobChanged.emit(job({ id: 'i', state: 'ended', result: { outcome } }));
    expect(session.findings).toBeNull();
    connection.jobChanged.emit(job({ id: 'm', kind: 'importable', state: 'ended', result: {} }));
    expect(connection.last.method).toBe('facts'); // what could not be imported may be there now
  });
});
