import { vi } from 'vitest';

import { facts, job, settled } from './fakes';
import { ready, seated } from './sessions';

describe('a desk', () => {
  it('asks once when the kernel is first idle, and never again by itself', async () => {
    const { kernel, door, desk } = seated();
    await settled();
    expect(desk.state.kind).toBe('starting');
    expect(door.asked).toHaveLength(0);
    kernel.is('idle');
    expect(door.asked.map(question => question.method)).toEqual(['facts']);
    await door.last.answer(facts());
    expect(desk.facts?.label).toBe('~/proj/.venv');
    for (const status of ['busy', 'idle', 'busy', 'idle']) {
      kernel.is(status);
    }
    expect(door.asked).toHaveLength(1);
  });

  it('does not disturb a busy kernel until the user wants it', async () => {
    const { kernel, door, desk } = seated();
    await settled();
    kernel.is('busy');
    expect(desk.state.kind).toBe('busy');
    expect(door.asked).toHaveLength(0);
    void desk.look(true);
    expect(door.last.now).toBe(true);
    await door.last.answer(facts());
    expect(desk.state.kind).toBe('ready');
  });

  it('drops a reply of the process before a restart', async () => {
    const { kernel, door, desk } = seated();
    await settled();
    kernel.is('idle');
    const old = door.last;
    kernel.is('restarting');
    expect(door.forgotten).toBe(1);
    kernel.is('idle');
    await old.answer(facts({ label: 'old' }));
    expect(desk.state.kind).toBe('starting');
    await door.last.answer(facts({ label: 'new' }));
    expect(desk.facts?.label).toBe('new');
  });

  it.each([['starting'], []])(
    'asks a kernel that was started again by itself, of which no more is heard than %s',
    async (...heard) => {
      const { kernel, door, desk } = await ready();
      vi.useFakeTimers();
      for (const status of ['restarting', 'autorestarting', 'unknown', ...heard]) {
        kernel.is(status);
      }
      expect(desk.state.kind).toBe('starting');
      expect(door.asked).toHaveLength(1);
      vi.advanceTimersByTime(2500);
      vi.useRealTimers();
      expect(door.asked).toHaveLength(2);
      await door.last.answer(facts({ name: 'second life' }));
      kernel.is('idle');
      expect(door.asked).toHaveLength(2);
      expect(desk.facts?.name).toBe('second life');
    }
  );

  it('asks a kernel of which nothing is heard, and lets a busy one be', async () => {
    const { kernel, door, desk } = seated();
    await settled();
    vi.useFakeTimers();
    kernel.is('unknown');
    expect(desk.state.kind).toBe('busy');
    vi.advanceTimersByTime(1500);
    kernel.is('busy');
    vi.advanceTimersByTime(5000);
    expect(door.asked).toHaveLength(0);
    kernel.is('unknown');
    vi.advanceTimersByTime(2500);
    vi.useRealTimers();
    expect(door.asked.map(question => question.now)).toEqual([false]);
    kernel.is('idle');
    expect(door.asked).toHaveLength(1);
    await door.last.answer(facts());
    expect(desk.state.kind).toBe('ready');
  });

  it('asks once only when a restarted kernel is heard to be idle', async () => {
    const { kernel, door } = await ready();
    vi.useFakeTimers();
    for (const status of ['restarting', 'starting', 'busy', 'idle']) {
      kernel.is(status);
    }
    expect(door.asked).toHaveLength(2);
    vi.advanceTimersByTime(5000);
    vi.useRealTimers();
    expect(door.asked).toHaveLength(2);
  });

  it('drops a reply after the kernel is gone', async () => {
    const { kernel, door, desk } = seated();
    await settled();
    kernel.is('idle');
    desk.dispose();
    expect(door.isDisposed).toBe(true);
    await door.last.answer(facts());
    expect(desk.facts).toBeNull();
  });

  it('says that an install was cut off by a restart', async () => {
    const { kernel, door, desk } = await ready();
    void desk.start('install', { line: 'pandas' });
    await door.last.answer(job());
    expect(desk.working).toBe(true);
    kernel.is('restarting');
    expect(desk.working).toBe(false);
    expect(desk.job?.result?.error?.code).toBe('kernel-gone');
  });

  it('asks for no second restart: what was said of one is put away by it', async () => {
    const { kernel, door, desk } = await ready();
    for (const [restart, left] of [['needed', undefined], ['none', 'done']] as const) {
      const outcome: any = { status: 'done', plan: { changes: [] }, findings: [], restart };
      door.told.emit(job({ id: 'done', state: 'ended', result: { outcome } }));
      kernel.is('restarting');
      expect(desk.job?.id).toBe(left);
    }
  });

  it('takes no message that was overtaken by the end of its job', async () => {
    const { door, desk } = await ready();
    void desk.start('install', { line: 'pandas' });
    await settled();
    door.told.emit(job({ state: 'ended', result: { upgrades: {} } }));
    await door.last.answer(job());
    expect(desk.job?.state).toBe('ended');
  });

  it('finds a running job again after the page was reloaded', async () => {
    const { kernel, door, desk } = seated();
    await settled();
    kernel.is('idle');
    await door.last.answer(facts({ jobs: [job({ words: 'unpacking 4' })] }));
    expect(desk.job?.words).toBe('unpacking 4');
  });

  it('asks nothing of a kernel that is not Python', async () => {
    const { kernel, door, desk } = seated('R');
    await settled();
    kernel.is('idle');
    expect(desk.state).toEqual({ kind: 'not-python', language: 'r' });
    expect(door.asked).toHaveLength(0);
  });

  it('keeps what it knows when a later question fails', async () => {
    const { door, desk } = await ready();
    void desk.loadPackages();
    await door.last.refuse('no disk');
    expect(desk.state.kind).toBe('ready');
    expect(desk.trouble).toBe('no disk');
    void desk.look(true);
    await door.last.refuse('timeout');
    expect(desk.state.kind).toBe('ready');
  });

  it('fails in words when the first question fails', async () => {
    const { kernel, door, desk } = seated();
    await settled();
    kernel.is('idle');
    await door.last.refuse('ImportError: x');
    expect(desk.state).toEqual({ kind: 'failed', message: 'ImportError: x' });
  });

  it('reads the lists again that an install made out of date', async () => {
    const { door, desk } = await ready();
    void desk.loadPackages();
    await door.last.answer([]);
    door.asked.length = 0;
    const outcome: any = { status: 'done', plan: { changes: [] }, findings: [] };
    door.told.emit(job({ id: '1-2', state: 'ended', result: { outcome } }));
    expect(door.asked.map(question => question.method).sort()).toEqual(['history', 'packages']);
    expect(desk.working).toBe(false);
  });

  it('keeps the damage it was told of until something is changed', async () => {
    const { door, desk } = await ready();
    const found: any = { code: 'leftover', severity: 'warning', message: 'm', context: '' };
    door.told.emit(job({ id: 'e', kind: 'examine', state: 'ended', result: { findings: [found] } }));
    expect(desk.findings).toEqual([found]);
    const outcome: any = { status: 'done', plan: { changes: [] }, findings: [] };
    door.told.emit(job({ id: 'i', state: 'ended', result: { outcome } }));
    expect(desk.findings).toBeNull();
    door.told.emit(job({ id: 'm', kind: 'importable', state: 'ended', result: {} }));
    expect(door.last.method).toBe('facts'); // what could not be imported may be there now
  });
});
