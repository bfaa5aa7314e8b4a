/** The way out of an environment that cannot be written: one of its own, with a kernel. */
import * as React from 'react';

import type { IViewProps } from './view';
import { Button } from './parts';

export function NewEnvironment(props: IViewProps): JSX.Element {
  const { model, session, trans } = props;
  const [path, setPath] = React.useState('.venv');
  const [overlay, setOverlay] = React.useState(false);
  return (
    <div className="si-NewEnvironment">
      <label>
        {trans.__('A new environment beside the notebook, as a kernel of its own:')}
        <input
          className="jp-mod-styled"
          value={path}
          spellCheck={false}
          onChange={event => setPath(event.target.value)}
        />
      </label>
      <label className="si-Check">
        <input
          type="checkbox"
          checked={overlay}
          onChange={event => setOverlay(event.target.checked)}
        />
        {trans.__('It also sees the packages of this one')}
      </label>
      <Button
        label={trans.__('New environment')}
        hook="new-environment"
        primary
        disabled={session.working || !path.trim()}
        onClick={() => void model.newEnvironment(path.trim(), overlay)}
      />
    </div>
  );
}
