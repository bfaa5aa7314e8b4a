/** This notebook's imports, against the environment it runs in. */
import * as React from 'react';

import type { IMissingModule } from '../tokens';
import type { IViewProps } from './view';
import { Button, Section, Sign } from './parts';

export function Notebook(props: IViewProps): JSX.Element | null {
  const { model, session, trans } = props;
  if (!model.subject?.notebook) {
    return null;
  }
  const needs = session.cells;
  const missing = needs?.missing ?? [];
  const names = [...new Set(missing.map(item => item.distribution))];
  return (
    <Section
      title={trans.__('This notebook')}
      hook="notebook"
      onOpen={() => void model.loadCells()}
    >
      {!needs && <div className="si-Note">{trans.__('reading …')}</div>}
      {missing.map(item => (
        <MissingModule key={item.module} {...props} item={item} />
      ))}
      {names.length > 1 && (
        <div className="si-Buttons">
          <Button
            label={trans.__('Install all %1', names.length)}
            title={trans.__('Install all %1: %2', names.length, names.join(' '))}
            disabled={session.working}
            onClick={() => void model.install(names.join(' '))}
          />
        </div>
      )}
      {needs && missing.length === 0 && (
        <div className="si-Row si-mod-top">
          <Sign mark="yes" />
          <span>
            {needs.present.length
              ? trans._n(
                  'The one import of this notebook is there.',
                  'All %1 imports of this notebook are there.',
                  needs.present.length
                )
              : trans.__('This notebook imports nothing yet.')}
          </span>
        </div>
      )}
      {needs && (
        <div className="si-Buttons">
          <Button label={trans.__('Look again')} quiet onClick={() => void model.loadCells()} />
        </div>
      )}
    </Section>
  );
}

function MissingModule(props: IViewProps & { item: IMissingModule }): JSX.Element {
  const { item, model, session, trans } = props;
  const same = item.module === item.distribution;
  return (
    <div className="si-Missing">
      <span>{same ? item.module : `${item.module} → ${item.distribution}`}</span>
      <Button
        label={trans.__('Install')}
        title={trans.__('Install %1', item.distribution)}
        quiet
        disabled={session.working}
        onClick={() => void model.install(item.distribution)}
      />
    </div>
  );
}
