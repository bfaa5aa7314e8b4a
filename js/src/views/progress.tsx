import * as React from 'react';

import type { IJob } from '../tokens';
import type { IViewProps } from './view';
import { Button } from './parts';

export function Progress(props: IViewProps & { job: IJob }): JSX.Element {
  const { job, session, trans } = props;
  const words = job.cancelling ? trans.__('cancelling …') : job.words || trans.__('starting …');
  return (
    <div className="si-Progress" data-safeinstall="progress">
      <progress
        aria-label={job.title}
        max={1}
        {...(job.fraction === null ? {} : { value: job.fraction })}
      />
      <div className="si-Row">
        <span className="si-Progress-words">{words}</span>
        <Button
          label={trans.__('Cancel')}
          hook="cancel"
          quiet
          disabled={job.cancelling}
          onClick={() => void session.cancel()}
        />
      </div>
    </div>
  );
}
