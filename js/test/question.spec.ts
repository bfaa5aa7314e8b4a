import { vi } from 'vitest';

vi.mock('../src/generated/payload.json', () => ({
  default: { version: '1', digest: 'd', loader: 'def answer(*a):\n    "é"', archive: 'QQ==' }
}));

import { expression, read, REPLY } from '../src/question';

describe('the expression', () => {
  it('is ASCII, and what varies is inside string literals', () => {
    const hostile = { line: `"); __import__('os').system('x') #\n\u2028é😀\\` };
    const text = expression('install', hostile, false);
    // eslint-disable-next-line no-control-regex
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
  const reply = (q: any, status = 'ok') => read({ status, user_expressions: { q } });

  it('returns the value', () => {
    expect(reply({ status: 'ok', data: { [REPLY]: { value: [1] } } })).toEqual({
      kind: 'value',
      value: [1]
    });
  });

  it('sees that the archive is wanted', () => {
    expect(reply({ status: 'ok', data: { [REPLY]: { need: 'archive' } } }).kind).toBe('need-archive');
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
