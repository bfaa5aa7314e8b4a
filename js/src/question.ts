/** The one expression by which the kernel is asked, and the reading of its answer. No Lab in here. */
import payload from './generated/payload.json';
import type { IFailure } from './tokens';

export const REPLY = 'application/vnd.safeinstall.reply+json';

/** The kernel answered, but not with what was asked for. */
export class Refused extends Error {
  constructor(readonly failure: IFailure) {
    super(failure.message);
  }
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
    "(lambda b: (lambda d: (b.exec(" + loader + ", d), d['answer'](" +
    values.map(literal).join(', ') +
    "))[1])({'__name__': '_safeinstall_loader'}))(__import__('builtins'))"
  );
}

export type Answer =
  | { kind: 'value'; value: unknown }
  | { kind: 'need-archive' }
  | { kind: 'failure'; failure: IFailure };

/** Read the reply to a silent request whose one user expression is called `q`. */
export function read(content: unknown): Answer {
  const reply = content as {
    status?: string;
    ename?: string;
    evalue?: string;
    user_expressions?: { [name: string]: any };
  };
  const answer = reply.user_expressions?.q;
  if (reply.status !== 'ok' || !answer || answer.status !== 'ok') {
    const told = answer?.status === 'error' ? answer : reply;
    return failure('no-answer', [told.ename, told.evalue].filter(Boolean).join(': '));
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

function failure(code: string, message: string): Answer {
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
