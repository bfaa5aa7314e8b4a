import { Widget } from '@lumino/widgets';
import { vi } from 'vitest';

import { outcomeRenderer } from '../src/mime';
import { OUTCOME } from '../src/tokens';
import { opened, subjectOn } from './documents';
import { FakeKernel, facts, settled } from './fakes';
import { act, HOSTILE, trans } from './sessions';

const ID = '0123456789abcdef0123456789abcdef';
const MESSAGE = { mark: '✓', headline: 'numpy 2.0 in', lines: ['one'], suggestions: [] };
const GENUINE = { id: ID, restart: 'needed', transaction: 't1', message: MESSAGE };
const WAYS = { restart: 'needed', transaction: 't1' };

beforeEach(() => void vi.useFakeTimers());
afterEach(async () => {
  await act(() => attached.splice(0).forEach(widget => widget.dispose()));
  vi.useRealTimers();
});

const attached: Widget[] = [];

/** Show an output in a notebook whose kernel says that it has shown `known`. */
async function shown(data: unknown, { trusted = true, known = [] as string[] } = {}) {
  const subject = subjectOn(new FakeKernel('k'));
  subject.sessionContext.restartKernel = vi.fn(async () => undefined);
  const { model, see } = opened(subject);
  const connection = await see(subject, { outcomes: known });
  const mime: any = { data: { [OUTCOME]: data, 'text/plain': 'plain words' }, trusted };
  const widget: any = outcomeRenderer(model, vi.fn(), trans).createRenderer({} as any);
  attached.push(widget);
  await act(async () => {
    Widget.attach(widget, document.body);
    void widget.renderModel(mime);
    await vi.advanceTimersByTimeAsync(1500);
  });
  const node: HTMLElement = widget.node;
  return {
    node,
    model,
    connection,
    restart: subject.sessionContext.restartKernel,
    buttons: () => [...node.querySelectorAll('button')].map(each => each.textContent),
    isMarked: () => node.textContent?.includes('From a saved output') ?? false,
    press: async (label: string) => {
      const button = [...node.querySelectorAll('button')].find(b => b.textContent === label);
      await act(async () => {
        button?.click();
        await settled();
      });
    }
  };
}

describe('an output of a magic', () => {
  it('has the buttons of what this kernel process has shown, and asks it once more', async () => {
    const { buttons, isMarked, press, connection, restart } = await shown(GENUINE, { known: [ID] });
    expect(buttons()).toEqual(['Restart kernel', 'Restart and run to here', 'Undo']);
    expect(isMarked()).toBe(false);
    await press('Restart kernel');
    expect(connection.last).toMatchObject({ method: 'outcome', params: { id: ID } });
    expect(restart).not.toHaveBeenCalled();
    await connection.last.answer({ made: WAYS });
    expect(restart).toHaveBeenCalledOnce();
  });

  it('takes what is undone from the kernel, not from the output', async () => {
    const other = { ...GENUINE, transaction: 'of-somebody-else' };
    const { press, connection } = await shown(other, { known: [ID] });
    await press('Undo');
    await connection.last.answer({ made: WAYS });
    expect(connection.last).toMatchObject({ method: 'undo', params: { id: 't1' } });
  });

  it('does nothing and is marked when the kernel does not know it after all', async () => {
    const { buttons, isMarked, press, connection, restart } = await shown(GENUINE, { known: [ID] });
    await press('Restart and run to here');
    await act(() => connection.last.answer({ made: null }));
    expect(restart).not.toHaveBeenCalled();
    expect(buttons()).toEqual([]);
    expect(isMarked()).toBe(true);
  });

  it('needs no restart that the kernel does not want', async () => {
    const { press, connection, restart } = await shown(GENUINE, { known: [ID] });
    await press('Restart kernel');
    await connection.last.answer({ made: { restart: 'none', transaction: null } });
    expect(restart).not.toHaveBeenCalled();
  });

  it('is known as soon as the kernel shows it, and no more after a restart', async () => {
    const { buttons, isMarked, connection, model } = await shown(GENUINE);
    expect([buttons(), isMarked()]).toEqual([[], true]);
    await act(() => connection.outcomeShown.emit(ID));
    expect(buttons()).toHaveLength(3);
    await act(() => (model.session?.kernel as FakeKernel).is('restarting'));
    expect([buttons(), isMarked()]).toEqual([[], false]);
    (model.session?.kernel as FakeKernel).is('idle');
    await act(() => connection.last.answer(facts()));
    expect([buttons(), isMarked()]).toEqual([[], true]);
  });

  it('has no buttons in a notebook that is not trusted, whatever it says', async () => {
    const { buttons, isMarked, node } = await shown(GENUINE, { trusted: false, known: [ID] });
    expect([buttons(), isMarked()]).toEqual([[], true]);
    expect(node.textContent).toContain('numpy 2.0 in');
  });
});

const deep = JSON.parse('['.repeat(3000) + ']'.repeat(3000));
const FORGED: [string, unknown][] = [
  ['another id', { ...GENUINE, id: 'f'.repeat(32) }],
  ['no id', { ...GENUINE, id: undefined }],
  ['an empty id', { ...GENUINE, id: '' }],
  ['a list for an id', { ...GENUINE, id: [ID] }],
  ['a number for an id', { ...GENUINE, id: 1 }],
  ['an object for an id', { ...GENUINE, id: { toString: 'x' } }],
  ['the id in capitals', { ...GENUINE, id: ID.toUpperCase() }],
  ['the id with a blank', { ...GENUINE, id: `${ID} ` }],
  ['the id turned around', { ...GENUINE, id: `\u202e${ID}x` }],
  ['the name of a property', { ...GENUINE, id: '__proto__' }],
  ['markup in the headline', { ...GENUINE, id: 'x', message: { ...MESSAGE, headline: HOSTILE } }],
  ['markup in the lines', { ...GENUINE, id: 'x', message: { ...MESSAGE, lines: [HOSTILE] } }],
  [
    'markup in what is to be typed',
    {
      ...GENUINE,
      id: 'x',
      message: { ...MESSAGE, suggestions: [{ command: HOSTILE, note: HOSTILE }] }
    }
  ],
  ['markup for a mark', { ...GENUINE, id: 'x', message: { ...MESSAGE, mark: HOSTILE } }],
  ['an element for a headline', { id: 'x', message: { headline: { $$typeof: 'x', type: 'img' } } }],
  [
    'HTML for React',
    { id: 'x', message: { headline: { dangerouslySetInnerHTML: { __html: '<img src=x>' } } } }
  ],
  ['words for lines', { id: 'x', message: { headline: 'h', lines: 'abc', suggestions: 'abc' } }],
  ['nothing for lines', { id: 'x', message: { headline: 'h', lines: null, suggestions: null } }],
  ['lists for words', { id: 'x', message: { headline: ['h'], lines: [[1]], suggestions: [[1]] } }],
  ['nothing for a suggestion', { id: 'x', message: { headline: 'h', suggestions: [null, 1, {}] } }],
  ['words for seconds', { id: 'x', message: { ...MESSAGE, seconds: '1' } }],
  ['no number of seconds', { id: 'x', message: { ...MESSAGE, seconds: Infinity } }],
  ['a message of words', { ...GENUINE, id: 'x', message: HOSTILE }],
  ['a list for a message', { ...GENUINE, id: 'x', message: [MESSAGE] }],
  ['an old output without words', { restart: 'needed', transaction: 't1' }],
  ['depth', { id: 'x', restart: deep, message: { headline: 'h', lines: deep } }],
  ['a list', [GENUINE]],
  ['words', HOSTILE],
  ['nothing', null],
  ['a number', 7]
];

describe('an output that somebody has made up', () => {
  it.each(FORGED)('with %s is text, is marked and has no buttons', async (_, data) => {
    for (const trusted of [true, false]) {
      const { node, buttons, isMarked } = await shown(data, { trusted, known: [ID] });
      expect(buttons()).toEqual([]);
      expect(isMarked()).toBe(true);
      expect(node.querySelector('img, script, iframe, a, form, input, style')).toBeNull();
      expect(node.textContent).not.toContain('\u202e');
    }
  });
});
