/** Small parts that several views use. Text from outside is only ever text. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { checkIcon, LabIcon, copyIcon, errorIcon, infoIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IChange, ISuggestion } from '../tokens';

export type Mark = 'yes' | 'care' | 'no' | 'info';

const ICONS: { [mark in Mark]: LabIcon } = {
  yes: checkIcon,
  care: errorIcon,
  no: errorIcon,
  info: infoIcon
};

export function markOf(sign: string): Mark {
  return sign === '✓' ? 'yes' : sign === '✗' ? 'no' : sign === '!' ? 'care' : 'info';
}

export function Sign(props: { mark: Mark }): JSX.Element {
  const Icon = ICONS[props.mark].react;
  return (
    <span className={`si-Sign si-mod-${props.mark}`} aria-hidden="true">
      <Icon tag="span" width="16px" height="16px" />
    </span>
  );
}

export function Button(props: {
  label: string;
  onClick: () => void;
  hook?: string;
  primary?: boolean;
  quiet?: boolean;
  disabled?: boolean;
  title?: string;
}): JSX.Element {
  const kind = props.primary ? 'jp-mod-accept' : props.quiet ? 'si-mod-quiet' : 'jp-mod-reject';
  return (
    <button
      type="button"
      className={`jp-mod-styled si-Button ${kind}`}
      data-safeinstall={props.hook}
      disabled={props.disabled}
      title={props.title}
      aria-label={props.title}
      onClick={props.onClick}
    >
      {props.label}
    </button>
  );
}

/** A path or a line to type, wrapped and never clipped, with a button that copies it. */
export function Copyable(props: {
  text: string;
  trans: TranslationBundle;
  hook?: string;
}): JSX.Element {
  const [done, setDone] = React.useState(false);
  const copy = () => {
    void navigator.clipboard?.writeText(props.text).then(() => {
      setDone(true);
      setTimeout(() => setDone(false), 1500);
    });
  };
  const Icon = (done ? checkIcon : copyIcon).react;
  const label = done ? props.trans.__('Copied') : props.trans.__('Copy %1', props.text);
  return (
    <span className="si-Copyable">
      <code data-safeinstall={props.hook}>{props.text}</code>
      <button
        type="button"
        className="si-IconButton"
        title={label}
        aria-label={label}
        onClick={copy}
      >
        <Icon tag="span" width="14px" height="14px" />
      </button>
    </span>
  );
}

/** One section of the panel, which remembers whether it is open. */
export function Section(props: {
  title: string;
  children: React.ReactNode;
  open?: boolean;
  hook?: string;
  onOpen?: () => void;
}): JSX.Element {
  const [open, setOpen] = React.useState(props.open ?? false);
  const toggle = (event: React.SyntheticEvent<HTMLDetailsElement>) => {
    const now = event.currentTarget.open;
    if (now !== open) {
      setOpen(now);
      if (now) {
        props.onOpen?.();
      }
    }
  };
  return (
    <details className="si-Section" data-safeinstall={props.hook} open={open} onToggle={toggle}>
      <summary>{props.title}</summary>
      {open && <div className="si-Section-body">{props.children}</div>}
    </details>
  );
}

/** Lines to type: those of ours can be taken over by a click, the others copied. */
export function Suggestions(props: {
  suggestions: ISuggestion[];
  trans: TranslationBundle;
  onUse: (line: string) => void;
}): JSX.Element | null {
  if (!props.suggestions.length) {
    return null;
  }
  return (
    <ul className="si-Suggestions">
      {props.suggestions.map((suggestion, index) => (
        <li key={index}>
          {suggestion.note && <div className="si-Note">{suggestion.note}</div>}
          <Copyable text={suggestion.command} trans={props.trans} />
          {lineOf(suggestion.command) && (
            <Button
              label={props.trans.__('Use this')}
              quiet
              onClick={() => props.onUse(lineOf(suggestion.command) as string)}
            />
          )}
        </li>
      ))}
    </ul>
  );
}

/** Return what stands after `%safeinstall`, or null when it is another kind of line. */
export function lineOf(command: string): string | null {
  const match = /^%safeinstall\s+(?!-r\b|--new-env)(.+)$/.exec(command);
  return match ? match[1] : null;
}

/** What changes: old -> new, numbers to the right. */
export function Changes(props: { changes: IChange[]; trans: TranslationBundle }): JSX.Element {
  const { trans } = props;
  return (
    <table className="si-Changes">
      <thead>
        <tr>
          <th scope="col">{trans.__('Package')}</th>
          <th scope="col">{trans.__('Now')}</th>
          <th scope="col">{trans.__('Then')}</th>
        </tr>
      </thead>
      <tbody>
        {props.changes.map(change => (
          <tr key={change.name} className={change.requested ? 'si-mod-requested' : undefined}>
            <th scope="row">{change.name}</th>
            <td>{change.before ?? '–'}</td>
            <td>{change.after ?? trans.__('removed')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Our own reasons are codes; the kernel's come as sentences. */
export function wordsFor(message: string, trans: TranslationBundle): string {
  switch (message) {
    case 'timeout':
      return trans.__('It did not answer in time. It may be busy with a cell.');
    case 'no-answer':
      return trans.__('It gave an answer that is no answer.');
    default:
      return message;
  }
}
