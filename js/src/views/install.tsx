/** The box, the work on its way, and what came of it. */
import * as React from 'react';

import type { IFacts } from '../tokens';
import type { IViewProps } from './view';
import { Button, wordsFor } from './parts';
import { Progress } from './progress';
import { Requirements } from './requirements';
import { Result } from './result';

export function Install(props: IViewProps & { facts: IFacts }): JSX.Element {
  const { model, session, trans } = props;
  const submit = (event?: React.FormEvent) => {
    event?.preventDefault();
    if (!session.working && canInstall(props.facts)) {
      void model.submit();
    }
  };
  const job = session.job && session.job.kind !== 'upgrades' ? session.job : null;
  const status = React.useRef<HTMLDivElement>(null);
  // Work may be started from a section far below: what becomes of it must be seen.
  const news = job && `${job.id} ${job.state}`;
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
            disabled={session.working || !model.line.trim() || !canInstall(props.facts)}
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
        {job?.state === 'running' && <Progress {...props} job={job} />}
        {job && job.state !== 'running' && <Result {...props} job={job} />}
        {session.error && <div className="si-Trouble">{wordsFor(session.error, trans)}</div>}
      </div>
    </section>
  );
}

function canInstall(facts: IFacts): boolean {
  return facts.abilities.includes('install');
}
