/** This notebook's imports, against the environment it runs in. */
import * as React from 'react';

import type { IMissing } from '../tokens';
import type { IViewProps } from './view';
import { Button, Section, Sign } from './parts';

export function Notebook(props: IViewProps): JSX.Element | null {
  const { model, desk, trans } = props;
  if (!model.subject?.notebook) {
    return null;
  }
  const found = desk.cells;
  const missing = found?.missing ?? [];
  const names = [...new Set(missing.map(item => item.distribution))];
  return (
    <Section
      title={trans.__('This notebook')}
      hook="notebook"
      onOpen={() => void model.loadCells()}
    >
      {!found && <div className="si-Note">{trans.__('reading …')}</div>}
      {missing.map(item => (
        <Missing key={item.module} {...props} item={item} />
      ))}
      {names.length > 1 && (
        <div className="si-Buttons">
          <Button
            label={trans.__('Install all %1', names.length)}
            disabled={desk.working}
            onClick={() => void model.install(names.join(' '))}
          />
        </div>
      )}
      {found && missing.length === 0 && (
        <div className="si-Row si-mod-top">
          <Sign mark="yes" />
          <span>
            {found.present.length
              ? trans._n(
                  'The one import of this notebook is there.',
                  'All %1 imports of this notebook are there.',
                  found.present.length
                )
              : trans.__('This notebook imports nothing yet.')}
          </span>
        </div>
      )}
      {found && (
        <div className="si-Buttons">
          <Button label={trans.__('Look again')} quiet onClick={() => void model.loadCells()} />
        </div>
      )}
    </Section>
  );
}

function Missing(props: IViewProps & { item: IMissing }): JSX.Element {
  const { item, model, desk, trans } = props;
  const same = item.module === item.distribution;
  return (
    <div className="si-Missing">
      <span>{same ? item.module : `${item.module} → ${item.distribution}`}</span>
      <Button
        label={trans.__('Install')}
        title={trans.__('Install %1', item.distribution)}
        quiet
        disabled={desk.working}
        onClick={() => void model.install(item.distribution)}
      />
    </div>
  );
}
