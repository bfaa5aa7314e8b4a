/** What was done to this environment, and taking it back. */
import * as React from 'react';

import type { IChange, ITransaction } from '../tokens';
import type { IViewProps } from './view';
import { Button, Section } from './parts';

export function History(props: IViewProps): JSX.Element {
  const { session, model, trans } = props;
  const all = session.history;
  const mayUndo = session.facts?.abilities.includes('undo') ?? false;
  return (
    <Section title={trans.__('History')} hook="history" onOpen={() => void session.loadHistory()}>
      {!all && <div className="si-Note">{trans.__('reading …')}</div>}
      {all?.length === 0 && (
        <div className="si-Note">{trans.__('Nothing was installed from here yet.')}</div>
      )}
      <ul className="si-History">
        {all?.map(item => (
          <li key={item.id} className={item.state === 'undone' ? 'si-mod-undone' : undefined}>
            <time dateTime={item.time} title={item.command}>
              {clock(item.time)}
            </time>
            <span className="si-History-what">{inShort(item)}</span>
            {item.state === 'undone' && <span className="si-Note">{trans.__('undone')}</span>}
            {item.state === 'committed' && mayUndo && (
              <Button
                label={item.undoes ? trans.__('Redo') : trans.__('Undo')}
                title={item.undoable ? trans.__('Undo: %1', item.command) : item.reason}
                hook="undo"
                quiet
                disabled={session.working || !item.undoable}
                onClick={() => void model.undo(item.id)}
              />
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}

export function inShort(item: ITransaction): string {
  const [first, ...rest] = item.changes;
  if (!first) {
    return item.command;
  }
  return `${changeInShort(first)}${rest.length ? ` (${item.changes.length})` : ''}`;
}

function changeInShort(change: IChange): string {
  if (change.before === null) {
    return `+ ${change.name} ${change.after}`;
  }
  if (change.after === null) {
    return `− ${change.name} ${change.before}`;
  }
  return `${change.name} ${change.before} → ${change.after}`;
}

function clock(time: string): string {
  const date = new Date(time);
  const today = new Date().toDateString() === date.toDateString();
  return today
    ? date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
    : date.toLocaleDateString();
}
