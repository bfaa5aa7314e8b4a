/** What is installed. Rows are plain and many: a thousand must scroll. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IPackage } from '../tokens';
import type { IViewProps } from './view';
import { Button, Section } from './parts';

export function Packages(props: IViewProps): JSX.Element {
  const { session, model, trans } = props;
  const [filter, setFilter] = React.useState('');
  const all = session.packages;
  const words = React.useDeferredValue(filter).trim().toLowerCase();
  const filtered = all?.filter(item => item.name.toLowerCase().includes(words));
  const title = all ? trans.__('Packages (%1)', all.length) : trans.__('Packages');
  const searching = session.working && session.job?.kind === 'upgrades';
  const mayRemove = session.facts?.abilities.includes('uninstall') ?? false;
  return (
    <Section title={title} hook="packages" onOpen={() => void session.loadPackages()}>
      {!all && <div className="si-Note">{trans.__('reading …')}</div>}
      {all && (
        <>
          <div className="si-Row">
            <input
              className="jp-mod-styled"
              type="search"
              aria-label={trans.__('Filter packages')}
              placeholder={trans.__('Filter')}
              value={filter}
              onChange={event => setFilter(event.target.value)}
            />
            <Button
              label={searching ? trans.__('Looking …') : trans.__('Look for upgrades')}
              quiet
              disabled={session.working || all.length === 0}
              onClick={() => void model.checkUpgrades()}
            />
            <Button
              label={trans.__('Look for damage')}
              quiet
              disabled={session.working}
              onClick={() => void model.examine()}
            />
          </div>
          <div className="si-List" tabIndex={0} role="list" aria-label={title}>
            {pages(filtered ?? []).map((page, index) => (
              <ul key={index} className="si-Page" role="presentation">
                {page.map(item => (
                  <Row
                    key={item.name}
                    item={item}
                    upgrade={session.upgrades?.[item.name] ?? ''}
                    disabled={session.working}
                    trans={trans}
                    onUpgrade={install => void model.install(install)}
                    onRemove={mayRemove ? name => void model.uninstall(name) : null}
                  />
                ))}
              </ul>
            ))}
          </div>
          {filtered?.length === 0 && (
            <div className="si-Note">{trans.__('None of that name.')}</div>
          )}
          {session.upgrades && Object.keys(session.upgrades).length === 0 && (
            <div className="si-Note">{trans.__('Everything is as new as it can be.')}</div>
          )}
        </>
      )}
    </Section>
  );
}

/** The browser lays out the pages that are in sight: one by one, a thousand rows cost it more. */
const PAGE = 20;

function pages(all: IPackage[]): IPackage[][] {
  const count = Math.ceil(all.length / PAGE);
  return Array.from({ length: count }, (_, at) => all.slice(at * PAGE, (at + 1) * PAGE));
}

interface IRowProps {
  item: IPackage;
  upgrade: string;
  disabled: boolean;
  trans: TranslationBundle;
  onUpgrade: (line: string) => void;
  onRemove: ((name: string) => void) | null;
}

const Row = React.memo(
  (props: IRowProps) => {
    const { item, upgrade, trans } = props;
    const name = item.name;
    return (
      <li className={`si-Package${upgrade ? ' si-mod-upgrade' : ''}`} role="listitem">
        <span className="si-Package-name">{name}</span>
        <span className="si-Package-version">{item.version}</span>
        <span className="si-Package-note">{noteOf(item, trans)}</span>
        {upgrade && (
          <Button
            label={`⬆ ${upgrade}`}
            title={trans.__('Upgrade %1 to %2', name, upgrade)}
            quiet
            disabled={props.disabled}
            onClick={() => props.onUpgrade(`${name}==${upgrade}`)}
          />
        )}
        {props.onRemove && (
          <button
            type="button"
            className="si-IconButton si-Remove"
            title={trans.__('Uninstall %1', name)}
            aria-label={trans.__('Uninstall %1', name)}
            disabled={props.disabled}
            onClick={() => props.onRemove?.(name)}
          >
            ×
          </button>
        )}
        {item.broken && <span className="si-Package-broken">{item.broken}</span>}
      </li>
    );
  },
  (old, now) =>
    old.item === now.item && old.upgrade === now.upgrade && old.disabled === now.disabled
);

function noteOf(item: IPackage, trans: TranslationBundle): string {
  const count = item.needed_by.length;
  if (count === 0) {
    return item.requested ? trans.__('asked for') : '';
  }
  return trans.__('needed by %1', count === 1 ? item.needed_by[0] : count);
}
