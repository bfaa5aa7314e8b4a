import * as React from 'react';
import { vi } from 'vitest';

import { Requirements } from '../src/views/requirements';
import { job } from './fakes';
import { act, HOSTILE, readySession, stage, trans } from './sessions';

async function opened() {
  const { kernel, connection, session } = await readySession();
  const { host, render } = stage();
  const onSubmit = vi.fn();
  const model: any = { line: '', setLine: (line: string) => ((model.line = line), show()) };
  const show = () =>
    render(<Requirements model={model} session={session} trans={trans} onSubmit={onSubmit} />);
  session.changed.connect(show);
  await act(show);
  const box = () => host.querySelector('input') as HTMLInputElement;
  return {
    kernel,
    connection,
    session,
    host,
    model,
    onSubmit,
    box,
    options: () => [...host.querySelectorAll('[role=option]')] as HTMLElement[],
    lookups: () => connection.requests.filter(request => request.method === 'versions'),
    type: (text: string) =>
      act(async () => {
        const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set;
        set?.call(box(), text);
        box().dispatchEvent(new Event('input', { bubbles: true }));
      }),
    press: (key: string) =>
      act(async () => {
        box().dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
      }),
    tell: (line: string, versions: string[], id = 'v1', state: any = 'ended') =>
      act(async () => {
        const offers = versions.map(one => ({ version: one, line: `${line}==${one}`, note: '' }));
        connection.jobChanged.emit(
          job({
            id,
            kind: 'versions',
            state,
            result: { line, cursor: line.length, versions: offers }
          })
        );
      })
  };
}

describe('the box', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('asks no index that a line names which somebody else put there', async () => {
    const { model, press, type, lookups } = await opened();
    model.isOffered = true;
    await type('pandas==');
    await press('ArrowDown');
    expect(lookups()).toHaveLength(0);
    model.isOffered = false;
    await press('ArrowDown');
    expect(lookups()).toHaveLength(1);
  });

  it('looks versions up by a key, offers them as a list box, and takes the chosen one', async () => {
    const at = await opened();
    await at.type('pandas');
    await act(async () => vi.advanceTimersByTime(5000));
    expect(at.lookups()).toHaveLength(0); // a name may still be half a name
    await at.press('ArrowDown');
    expect(at.lookups().map(request => request.params)).toEqual([{ line: 'pandas', cursor: 6 }]);
    await at.tell('pandas', ['2.0', '1.0']);
    expect(at.box().getAttribute('aria-expanded')).toBe('true');
    await at.press('ArrowDown');
    await at.press('ArrowDown');
    const [, second] = at.options();
    expect(second.getAttribute('aria-selected')).toBe('true');
    expect(at.box().getAttribute('aria-activedescendant')).toBe(second.id);
    await at.press('Enter');
    expect(at.model.line).toBe('pandas==1.0');
    expect(at.options()).toHaveLength(0);
    expect(at.onSubmit).not.toHaveBeenCalled();
    await at.press('Enter');
    expect(at.onSubmit).toHaveBeenCalledOnce();
  });

  it('looks by itself only for a version that was begun, after a pause, on an idle kernel', async () => {
    const at = await opened();
    await at.type('pandas=');
    await at.type('pandas==');
    await act(async () => vi.advanceTimersByTime(300));
    expect(at.lookups()).toHaveLength(0);
    await act(async () => vi.advanceTimersByTime(100));
    expect(at.lookups()).toHaveLength(1);
    at.kernel.is('busy');
    await at.type('pandas==2');
    await act(async () => vi.advanceTimersByTime(1000));
    expect(at.lookups()).toHaveLength(1);
  });

  it('drops an answer about a line that is no longer there', async () => {
    const at = await opened();
    await at.type('pandas');
    await at.press('ArrowDown');
    await at.type('numpy');
    await at.tell('pandas', ['2.0']);
    expect(at.options()).toHaveLength(0);
    await at.press('ArrowDown');
    await at.tell('pandas', ['2.0'], 'v1'); // told once more, late
    expect(at.options()).toHaveLength(0);
    await at.tell('numpy', ['9.0'], 'v2');
    expect(at.options().map(option => option.textContent)).toEqual(['9.0']);
  });

  it('closes by Escape and says that nothing is known where nothing is', async () => {
    const at = await opened();
    await at.type('pandas');
    await at.press('ArrowDown');
    await at.tell('pandas', [HOSTILE]);
    expect(at.host.querySelector('img')).toBeNull();
    expect(at.options()).toHaveLength(1);
    await at.press('Escape');
    expect(at.options()).toHaveLength(0);
    await at.press('ArrowDown');
    await at.tell('pandas', [], 'v2');
    expect(at.host.textContent).toContain('No versions are known.');
  });

  it('does not ask twice about the same, until something was installed', async () => {
    const at = await opened();
    await at.type('pandas');
    await at.press('ArrowDown');
    await at.tell('pandas', ['2.0']);
    await at.press('Escape');
    await at.press('ArrowDown');
    expect(at.options()).toHaveLength(1);
    expect(at.lookups()).toHaveLength(1);
    await act(async () => at.box().setSelectionRange(2, 2));
    await at.press('Escape');
    await at.press('ArrowDown'); // elsewhere in the line: another requirement, perhaps
    expect(at.lookups()).toHaveLength(2);
    await at.press('Escape');
    const outcome: any = { status: 'done', plan: { changes: [] }, findings: [] };
    await act(async () =>
      at.connection.jobChanged.emit(job({ state: 'ended', result: { outcome } }))
    );
    await act(async () => at.box().setSelectionRange(6, 6));
    await at.press('ArrowDown');
    expect(at.lookups()).toHaveLength(3);
  });

  it('keeps an install and a look-up apart', async () => {
    const at = await opened();
    await act(async () => at.connection.jobChanged.emit(job({ id: 'work', state: 'running' })));
    await at.type('pandas');
    await at.press('ArrowDown');
    await at.tell('pandas', ['2.0']);
    expect(at.session.job?.id).toBe('work');
    expect(at.options()).toHaveLength(1);
    await act(async () => at.kernel.is('restarting'));
    expect(at.session.lookup).toBeNull();
  });
});
