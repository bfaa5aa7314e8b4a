/** The box, the work on its way, and what came of it. */
import * as React from 'react';

import type { IFacts } from '../tokens';
import type { IViewProps } from './view';
import { Button, wordsFor } from './parts';
import { Progress } from './progress';
import { Requirements } from './requirements';
import { Result } from './result';

export function Install(props: IViewProps & { facts: IFacts }): JSX.Element {
  const { model, desk, trans } = props;
  const submit = (event?: React.FormEvent) => {
    event?.preventDefault();
    if (!desk.working && can(props.facts)) {
      void model.install(model.line);
    }
  };
  const job = desk.job;
  const shown = job && job.kind !== 'upgrades' ? job : null;
  const status = React.useRef<HTMLDivElement>(null);
  // Work may be started from a section far below: what becomes of it must be seen.
  const news = shown && `${shown.id} ${shown.state}`;
  React.useEffect(() => {
    if (news !== null) {
      status.current?.scrollIntoView?.({ block: 'nearest' });
    }
  }, [news]);
  return (
    <section className="si-Install" aria-label={trans.__('Install')}>
      <form onSubmit={submit}>
        <label htmlFor="safeinstall-requirements">{trans.__('Install')}</label>
        <div className="si-Row">
          <Requirements {...props} onSubmit={() => submit()} />
          <Button
            label={trans.__('Install')}
            hook="install"
            primary
            disabled={desk.working || !model.line.trim() || !can(props.facts)}
            onClick={() => submit()}
          />
        </div>
      </form>
      <div
        ref={status}
        aria-live="polite"
        role="status"
        data-safeinstall="status"
        className="si-Status"
      >
        {shown?.state === 'running' && <Progress {...props} job={shown} />}
        {shown && shown.state !== 'running' && <Result {...props} job={shown} />}
        {desk.trouble && <div className="si-Trouble">{wordsFor(desk.trouble, trans)}</div>}
      </div>
    </section>
  );
}

function can(facts: IFacts): boolean {
  return facts.abilities.includes('install');
}
